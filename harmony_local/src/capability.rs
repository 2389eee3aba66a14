//! How NATS servers stand on this machine.

use std::path::{Path, PathBuf};

use harmony::ArrangeError;
use harmony::address::Address;
use harmony::capability::{
    CredentialFile, Endpoint, Listener, ListenersWanted, Nats, NatsJetstream, NatsSite, NatsSupercluster, Placement, Reach,
    ServerArrangement, ServerPaths,
};
use harmony::modules::nats::access::{Credential, NatsAccess};
use harmony::modules::nats::assets::{self, KvBucket, Stream};
use harmony::modules::nats::client::{JetstreamMode, WithNats};
use harmony::modules::nats::proof::Member;
use harmony::modules::nats::render::{ROUTES_FILE, RenderedConf, conf};
use harmony::stage::Stage;
use harmony::text;
use harmony::value::{Syntax, Text, Value};
use harmony_types::{HostName, ServerName, SiteName};

use crate::kind::{Access, FilePath, LocalDirectory, LocalFile, LocalPort, PortHolder, PortIdentity};
use crate::nats::{
    BinaryVersion, LOG, NatsServerBinary, NatsServerDirectory, NatsServerProcess, NatsStore, ProcessIdentity, RecordState, STORE,
};
use crate::place::{LocalPlace, Program};
use crate::topology::Monitoring;

impl LocalPlace<WithNats> {
    /// Where this place keeps its things.
    fn root(&self) -> PathBuf {
        self.site.state.join(self.name.as_str())
    }

    fn server_directory(&self, server: &ServerName) -> PathBuf {
        self.root().join("nats").join(server.as_str())
    }

    fn process(&self, server: &ServerName) -> ProcessIdentity {
        let config_file = FilePath(self.server_directory(server).join("nats.conf"));
        ProcessIdentity { server: server.clone(), config_file }
    }

    /// Adds the directory at `path` and those above it up to the place's own.
    fn arrange_directory(&self, path: &Path, stage: &mut Stage) -> Result<Address, ArrangeError> {
        let mut gates = Vec::new();
        let mut directories: Vec<&Path> = path.ancestors().take_while(|above| above.starts_with(self.root())).collect();
        directories.reverse();
        let mut last = None;
        for directory in directories {
            let name = directory.strip_prefix(self.root()).unwrap_or(directory).display().to_string();
            let name = if name.is_empty() { "directory".to_owned() } else { format!("directory/{name}") };
            let spec = LocalDirectory { path: FilePath(directory.to_owned()) };
            let handle = stage.after(&gates, |stage| stage.share(self, &name, &spec))?;
            gates = vec![handle.address().clone()];
            last = Some(handle.address().clone());
        }
        last.ok_or_else(|| ArrangeError::Unsupported {
            place: self.name.to_string(),
            what: format!("keep things in `{}`", path.display()),
            alternative: format!("choose a path below `{}`", self.root().display()),
        })
    }

    fn arrange_listener(
        &self,
        server: &ServerName,
        role: &str,
        (host, reach): (&HostName, Reach),
        stage: &mut Stage,
    ) -> Result<Listener, ArrangeError> {
        let dialled = self.advertise.as_ref().unwrap_or(host);
        if reach == Reach::Beyond {
            self.ensure_is_reached(dialled)?;
        }
        let identity = PortIdentity { process: self.process(server), role: role.to_owned(), host: host.clone() };
        let added = stage.add(self, &format!("{role}-port"), &LocalPort { identity, holder: PortHolder::Server })?;
        let port = added.get(&LocalPort::PORT);
        let near = Endpoint { host: Value::Known(dialled.clone()), port: port.clone() };
        let far = (reach == Reach::Beyond).then(|| near.clone());
        Ok(Listener { host: host.clone(), port, near, far })
    }

    /// From other machines, or what is as good as one.
    fn ensure_is_reached(&self, host: &HostName) -> Result<(), ArrangeError> {
        if host.address().is_none_or(|address| !address.is_loopback() && !address.is_unspecified()) {
            return Ok(());
        }
        Err(ArrangeError::Unsupported {
            place: self.name.to_string(),
            what: format!("serve sites on other places, which dial {host} and find themselves"),
            alternative:
                "listen on an address at which they reach this machine, `.with_listen_address(…)`, or say the one that they \
                          dial, `.with_advertised_host(…)`"
                    .to_owned(),
        })
    }

    fn arrange_program(&self, stage: &mut Stage) -> Result<Text, ArrangeError> {
        match &self.program {
            Some(Program::Here { path, .. }) => Ok(Text::from(path.display().to_string())),
            Some(Program::Pinned { version }) => {
                let spec = NatsServerBinary { version: BinaryVersion(version.clone()) };
                Ok(stage.share(self, "nats-server", &spec)?.get(&NatsServerBinary::PATH))
            }
            None => Err(ArrangeError::Unsupported {
                place: self.name.to_string(),
                what: "run NATS servers: the facts name no nats-server program".to_owned(),
                alternative: "make the facts anew, with a program that gives the place a client of NATS: `facts > FILE`"
                    .to_owned(),
            }),
        }
    }

    fn arrange_file(
        &self,
        name: &str,
        path: &str,
        access: Access,
        content: Text,
        stage: &mut Stage,
    ) -> Result<Address, ArrangeError> {
        let spec = LocalFile { path: FilePath(PathBuf::from(path)), access, content };
        Ok(stage.add(self, name, &spec)?.address().clone())
    }

    fn arrange_files(
        &self,
        server: &ServerArrangement,
        rendered: &RenderedConf,
        stage: &mut Stage,
    ) -> Result<Vec<Address>, ArrangeError> {
        let paths = self.paths(&server.spec.name);
        let config = self.process(&server.spec.name).config_file.0;
        let mut files = vec![
            self.arrange_file("certificate.pem", &paths.certificate, Access::Public, server.certificate.clone(), stage)?,
            self.arrange_file("key.pem", &paths.key, Access::Private, server.key.clone(), stage)?,
            self.arrange_file("trust.pem", &paths.trust, Access::Public, server.trust.clone(), stage)?,
            self.arrange_file("nats.conf", &config.display().to_string(), Access::Private, rendered.main.clone(), stage)?,
        ];
        if let Some(routes) = rendered.routes.clone() {
            files.push(self.arrange_file(
                ROUTES_FILE,
                &config.with_file_name(ROUTES_FILE).display().to_string(),
                Access::Private,
                routes,
                stage,
            )?);
        }
        Ok(files)
    }

    fn paths(&self, server: &ServerName) -> ServerPaths {
        let inside = |name: &str| self.server_directory(server).join(name).display().to_string();
        ServerPaths {
            certificate: inside("certificate.pem"),
            key: inside("key.pem"),
            trust: inside("trust.pem"),
            store: inside(STORE),
            log: Some(inside(LOG)),
        }
    }
}

impl Nats for LocalPlace<WithNats> {
    fn arrange_placement(&self, member: &Member, wanted: ListenersWanted, stage: &mut Stage) -> Result<Placement, ArrangeError> {
        let server = &member.server;
        let loopback = HostName::loopback();
        stage.within(server.as_str(), |stage| {
            let optional = |reach: Option<Reach>, role: &str, host: &HostName, stage: &mut Stage| {
                reach.map(|reach| self.arrange_listener(server, role, (host, reach), stage)).transpose()
            };
            let cluster = optional(wanted.cluster, "cluster", &self.listen, stage)?;
            let gateway = optional(wanted.gateway, "gateway", &self.listen, stage)?;
            let monitoring = (self.monitoring == Monitoring::Open).then_some(Reach::Within);
            let monitoring = optional(monitoring, "monitoring", &loopback, stage)?;
            let client = self.arrange_listener(server, "client", (&self.listen, wanted.client), stage)?;
            let reached = text!["tls://", client.near.text()];
            let mut names: Vec<HostName> = self.advertise.iter().cloned().chain([self.listen.clone(), loopback]).collect();
            names.sort();
            names.dedup();
            let names = names.into_iter().map(Value::Known).collect();
            Ok(Placement { client, cluster, gateway, monitoring, reached, log: self.log, names, paths: self.paths(server) })
        })
    }

    fn arrange_server(&self, server: &ServerArrangement, stage: &mut Stage) -> Result<Address, ArrangeError> {
        let name = &server.spec.name;
        let directory = self.server_directory(name);
        let above = self.arrange_directory(&self.root().join("nats"), stage)?;
        let program = self.arrange_program(stage)?;
        let rendered = conf(&server.spec);
        stage.within(name.as_str(), |stage| {
            let own = NatsServerDirectory { path: FilePath(directory.clone()) };
            let own = stage.after(std::slice::from_ref(&above), |stage| stage.add(self, "directory", &own))?;
            let gate = own.address().clone();
            let mut gates = stage.after(std::slice::from_ref(&gate), |stage| self.arrange_files(server, &rendered, stage))?;
            if server.spec.jetstream.is_some() {
                let path = FilePath(PathBuf::from(self.paths(name).store));
                let store = stage.after(std::slice::from_ref(&gate), |stage| stage.add(self, "store", &NatsStore { path }))?;
                gates.push(store.address().clone());
            }
            let process = NatsServerProcess {
                identity: self.process(name),
                program,
                config_digest: rendered.digest,
                startup_digest: rendered.startup,
                certificates_digest: text![&server.certificate, &server.key, &server.trust].digest(),
                jetstream: JetstreamMode::of(server.spec.jetstream.is_some(), server.spec.cluster.is_some()),
                record: RecordState::NamesThisProcess,
            };
            let turn = format!("servers of {}", server.system);
            let run = |stage: &mut Stage| stage.add_through(self, &server.operator, "process", &process);
            let added = stage.after(&gates, |stage| stage.one_at_a_time(&turn, run))?;
            Ok(added.address().clone())
        })
    }

    fn arrange_credential(&self, credential: &CredentialFile, stage: &mut Stage) -> Result<(), ArrangeError> {
        let CredentialFile { system, account, user, access, example } = credential;
        let directory = self.root().join("credentials").join(system.as_str());
        let gate = self.arrange_directory(&directory, stage)?;
        let inside = |name: &str| directory.join(name).display().to_string();
        let (file, content, option) = match &access.credential {
            Credential::Nkey { seed } => (inside(&format!("{account}-{user}.nk")), seed.clone(), "--nkey"),
            Credential::Password { password, .. } => {
                (inside(&format!("{account}-{user}.password")), password.clone(), "--password")
            }
        };
        stage.after(std::slice::from_ref(&gate), |stage| {
            stage.within("credentials", |stage| {
                let trust = LocalFile {
                    path: FilePath(directory.join("trust.pem")),
                    access: Access::Public,
                    content: access.trust.clone(),
                };
                stage.share(self, &format!("credentials-of-{system}/trust.pem"), &trust)?;
                if let Credential::Password { user: login, .. } = &access.credential {
                    let file = inside(&format!("{account}-{user}.user"));
                    self.arrange_file(&format!("{account}-{user}.user"), &file, Access::Private, login.clone(), stage)?;
                }
                self.arrange_file(&format!("{account}-{user}"), &file, Access::Private, content, stage)
            })
        })?;
        let Some(server) = access.servers.first() else { return Ok(()) };
        let login = match &access.credential {
            Credential::Nkey { .. } => text![option, " ", Syntax::Shell.quote(&file)],
            Credential::Password { .. } => {
                let login = Syntax::Shell.quote(&inside(&format!("{account}-{user}.user")));
                text!["--user \"$(cat ", login, ")\" --password \"$(cat ", Syntax::Shell.quote(&file), ")\""]
            }
        };
        let trust = Syntax::Shell.quote(&inside("trust.pem"));
        let prefix = access.inbox_prefix.clone();
        let command =
            text!["nats --server ", server, " --tlsca ", trust, " ", &login, " --inbox-prefix ", prefix, " ", example.as_str()];
        stage.next_step(format!("Use {system} as {user} of account {account}"), command);
        Ok(())
    }
}

impl NatsJetstream for LocalPlace<WithNats> {
    fn arrange_bucket(&self, access: &NatsAccess, bucket: &KvBucket, stage: &mut Stage) -> Result<Address, ArrangeError> {
        assets::arrange_bucket(self, access, bucket, stage)
    }

    fn arrange_stream(&self, access: &NatsAccess, stream: &Stream, stage: &mut Stage) -> Result<Address, ArrangeError> {
        assets::arrange_stream(self, access, stream, stage)
    }
}

impl NatsSupercluster for LocalPlace<WithNats> {
    /// Every site is on this machine.
    fn nats_site(&self, _: &SiteName) -> Result<&dyn NatsSite, ArrangeError> {
        Ok(self)
    }
}
