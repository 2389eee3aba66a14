//! A site program in a world of its own, into which others have put things.

use std::collections::BTreeSet;
use std::fs;
use std::net::Ipv4Addr;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::panic::panic_any;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::SystemTime;

use harmony_test::{Finished, SiteProgram};
use harmony_testbed::AuditTrail;
use harmony_types::HostName;

use crate::cluster::{Part, Things};
use crate::excuse::{Excused, excuse_of};
use crate::fault::{At, FaultPlan, VARIABLE, What};
use crate::foreign::nats_server;
use crate::name::PointName;

/// A site program, and what is not its own in the directories that it uses.
pub struct World {
    program: SiteProgram,
    foreign: Vec<(PathBuf, Vec<u8>)>,
    /// Where its servers listen.
    address: Ipv4Addr,
    /// As whom the program runs, unless as whoever runs the test.
    user: Option<u32>,
    /// Its part of a cluster, if its program has one.
    part: Option<Part>,
}

/// `nobody`, whom every Linux knows by this number.
const NOBODY: u32 = 65_534;

/// The variable that says where the servers of a world listen.
const ADDRESS: &str = "HARMONY_CRASH_ADDRESS";

/// Each world has an address of its own for a long time: what one program has chosen as a free port no other takes before it is used. Of
/// three digits, so that all of them look the same in the names of points.
fn next_address() -> Ipv4Addr {
    static NEXT: AtomicU8 = AtomicU8::new(0);
    Ipv4Addr::new(127, 0, 0, 100 + NEXT.fetch_add(1, Ordering::Relaxed) % 150)
}

/// Where the servers of this program's world listen.
///
/// # Panics
/// If the world says something else than an address.
#[must_use]
pub fn listen_address() -> HostName {
    let said = std::env::var(ADDRESS).unwrap_or_else(|_| Ipv4Addr::LOCALHOST.to_string());
    said.parse().expect("an address")
}

/// What stands in the state directory, without contents: a path and its mode for each file and directory. Of a server's store, only its
/// streams.
pub type Shape = BTreeSet<(PathBuf, u32)>;

/// What stands in a world.
#[derive(Debug)]
pub(crate) struct Standing {
    shape: Shape,
    things: Things,
}

impl World {
    /// A new one for the program at `binary`, with files of others in `foreign` (relative to the state directory).
    ///
    /// # Panics
    /// If it cannot be made.
    #[must_use]
    pub fn new(binary: &str, foreign: &[&str]) -> Self {
        let program = SiteProgram::new(binary);
        let foreign: Vec<_> = foreign.iter().map(|path| (program.state().join(path), b"mine\0\xff".to_vec())).collect();
        for (path, contents) in &foreign {
            let above = path.parent().expect("a directory above it");
            fs::create_dir_all(above.join("theirs")).and_then(|()| fs::write(path, contents)).expect("a file of others");
        }
        Self { program, foreign, address: next_address(), user: None, part: None }
    }

    /// A new one for the program at `binary`, with a part of a cluster.
    ///
    /// # Panics
    /// If it cannot be made.
    #[must_use]
    pub(crate) fn on_cluster(binary: &str, part: Part) -> Self {
        Self { part: Some(part), ..Self::new(binary, &[]) }
    }

    /// A new one whose program the modes of files hold for, as they do not for root: it runs as nobody if the test runs as root.
    ///
    /// # Panics
    /// If it cannot be made.
    #[must_use]
    pub fn without_privileges(binary: &str) -> Self {
        let mut world = Self::new(binary, &[]);
        if is_root() {
            // The user's cache is nobody's business.
            let cache = world.cache().join("harmony/nats-server");
            fs::create_dir_all(&cache).expect("a directory");
            let server = nats_server();
            fs::copy(&server, cache.join(server.file_name().expect("a name"))).expect("a copy");
            chown(world.directory(), Some(NOBODY), Some(NOBODY)).expect("a directory of nobody's");
            world.user = Some(NOBODY);
        }
        world
    }

    fn cache(&self) -> PathBuf {
        self.directory().join("cache")
    }

    /// The program.
    #[must_use]
    pub fn program(&self) -> &SiteProgram {
        &self.program
    }

    /// Runs the program with something happening at a point.
    ///
    /// # Panics
    /// If it cannot be started.
    #[must_use]
    pub fn run_disturbed(&self, arguments: &[&str], at: At, what: What) -> (Finished, Option<String>) {
        let met = self.directory().join("met");
        let _ = fs::remove_file(&met);
        let finished = self.run_with(arguments, &self.plan(None, Some(at), what));
        (finished, fs::read_to_string(&met).ok().map(|text| text.trim().to_owned()))
    }

    /// Runs the program undisturbed, which has to end well, and returns the points that it passed.
    ///
    /// # Panics
    /// If it does not end well.
    #[must_use]
    pub fn record(&self, arguments: &[&str]) -> Vec<PointName> {
        let record = self.directory().join("record");
        let _ = fs::remove_file(&record);
        let finished = self.run_with(arguments, &self.plan(Some(record.clone()), None, What::Die));
        assert_eq!(finished.code, 0, "{}", finished.output());
        let text = fs::read_to_string(&record).expect("a record");
        text.lines().map(|line| serde_json::from_str(line).expect("a name")).collect()
    }

    fn run_with(&self, arguments: &[&str], plan: &FaultPlan) -> Finished {
        let mut command = self.command(arguments);
        command.env(VARIABLE, serde_json::to_string(plan).expect("a plan"));
        finished(command)
    }

    /// The program with these arguments. It finds the pinned nats-server only, so that this too is a resource.
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.program.command(arguments);
        command.env_remove("HARMONY_NATS_SERVER").env("PATH", "/usr/bin:/bin").env(ADDRESS, self.address.to_string());
        command.envs(self.part.iter().flat_map(Part::variables));
        if let Some(user) = self.user {
            command.uid(user).gid(user).env("XDG_CACHE_HOME", self.cache());
        }
        command
    }

    /// Runs the program to its end, whatever that is.
    ///
    /// # Panics
    /// If it cannot be started.
    #[must_use]
    pub fn run(&self, arguments: &[&str]) -> Finished {
        finished(self.command(arguments))
    }

    /// Runs the program, which has to end with this exit code.
    ///
    /// # Panics
    /// If it ends otherwise.
    pub fn expect(&self, arguments: &[&str], code: i32) -> Finished {
        let finished = self.run(arguments);
        self.expect_code(&format!("{arguments:?}"), &finished, code);
        finished
    }

    /// Fails unless a run that nobody disturbed ended with this exit code.
    ///
    /// # Panics
    /// That is how it fails: with an excuse, if there is one.
    pub(crate) fn expect_code(&self, what: &str, finished: &Finished, code: i32) {
        if finished.code == code {
            return;
        }
        let text = format!("{what} ended with {}:\n{}", finished.code, finished.output());
        match excuse_of(finished, &self.configurations()) {
            Some(excuse) => panic_any(Excused(format!("{excuse}: {text}"))),
            None => panic!("{text}"),
        }
    }

    /// The configurations of the servers that run.
    fn configurations(&self) -> Vec<String> {
        let lines = self.program.processes().into_iter();
        let words = lines.flat_map(|(_, line)| line.split(' ').map(str::to_owned).collect::<Vec<_>>());
        words.filter(|word| word.ends_with(".conf")).filter_map(|path| fs::read_to_string(path).ok()).collect()
    }

    fn plan(&self, record: Option<PathBuf>, at: Option<At>, what: What) -> FaultPlan {
        FaultPlan { world: self.directory(), record, met: self.directory().join("met"), at, what }
    }

    /// The directory that holds everything of it.
    #[must_use]
    pub fn directory(&self) -> PathBuf {
        self.program.config().parent().expect("a directory above it").to_owned()
    }

    /// Fails unless what others put here is as they left it.
    ///
    /// # Panics
    /// That is how it fails.
    pub fn expect_foreign_untouched(&self) {
        for (path, contents) in &self.foreign {
            assert_eq!(fs::read(path).ok().as_ref(), Some(contents), "`{}` was touched", path.display());
            let theirs = path.parent().expect("a directory above it").join("theirs");
            assert!(theirs.is_dir(), "`{}` was removed", theirs.display());
        }
    }

    /// What stands in it, when what others make and remove by themselves has come and gone.
    pub(crate) fn standing(&self) -> Standing {
        Standing { shape: self.shape(), things: self.part.as_ref().map(Part::undisturbed).unwrap_or_default() }
    }

    /// Fails unless this is what stands in it, or comes to stand in it by itself, and what is others' in its cluster is untouched.
    pub(crate) fn expect_standing(&self, expected: &Standing) {
        let shape = self.shape();
        let (more, less): (Vec<_>, Vec<_>) =
            (shape.difference(&expected.shape).collect(), expected.shape.difference(&shape).collect());
        assert!(more.is_empty() && less.is_empty(), "left over: {more:?}, missing: {less:?}");
        let things = self.part.as_ref().map(|part| part.settled(&expected.things)).unwrap_or_default();
        assert!(things == expected.things, "in the cluster: {}", things.differences(&expected.things).join("\n"));
    }

    /// Does something, and says what its program asked of its part of a cluster meanwhile that changes something.
    pub(crate) fn writes_during(&self, something: impl FnOnce()) -> AuditTrail {
        let mark = self.part.as_ref().map(|part| (part, part.mark()));
        something();
        mark.map(|(part, mark)| part.writes_since(mark)).unwrap_or_default()
    }

    /// What stands in the state directory.
    #[must_use]
    pub fn shape(&self) -> Shape {
        let mut shape = Shape::new();
        collect(&self.program.state(), &self.program.state(), &mut shape);
        shape
    }

    /// What a run that changes nothing leaves alone: every file of the state directory but the lock and what servers write.
    #[must_use]
    pub fn kept(&self) -> Vec<(PathBuf, Vec<u8>, SystemTime)> {
        let written_by_others = |path: &Path| {
            let is_log = path.extension().is_some_and(|extension| extension == "log");
            is_log || path.ends_with("lock") || path.components().any(|part| part.as_os_str() == "store")
        };
        self.program.snapshot().into_iter().filter(|(path, ..)| !written_by_others(path)).collect()
    }
}

/// Whether whoever runs this is root.
fn is_root() -> bool {
    fs::metadata("/proc/self").is_ok_and(|metadata| metadata.uid() == 0)
}

fn finished(mut command: Command) -> Finished {
    let output = command.output().expect("the program starts");
    Finished {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

fn collect(root: &Path, directory: &Path, shape: &mut Shape) {
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        let path = entry.path();
        let relative = path.strip_prefix(root).unwrap_or(&path).to_owned();
        let below_store = relative.components().any(|part| part.as_os_str() == "store");
        let is_stream = relative.parent().is_some_and(|above| above.ends_with("streams"));
        if !below_store || relative.ends_with("store") || is_stream {
            let mode = entry.metadata().map_or(0, |metadata| metadata.permissions().mode());
            shape.insert((relative, mode));
        }
        if path.is_dir() && !is_stream {
            collect(root, &path, shape);
        }
    }
}
