//! The certificates of one cluster: an authority of its own, servers, clients, and the key for tokens.

use std::net::IpAddr;
use std::path::Path;
use std::{fmt, fs};

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose, SanType,
};

use crate::error::TestbedError;

/// The authority that every component of one cluster trusts, and nobody else does.
pub(crate) struct Authority {
    certificate: String,
    key: String,
    issuer: Issuer<'static, KeyPair>,
}

/// A certificate with its key, both as PEM.
pub(crate) struct Identity {
    pub(crate) certificate: String,
    pub(crate) key: String,
}

impl fmt::Debug for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authority").field("key", &"(sensitive)").finish_non_exhaustive()
    }
}

impl Authority {
    pub(crate) fn new(name: &str) -> Result<Self, TestbedError> {
        let failed = failed(name);
        let key = KeyPair::generate().map_err(&failed)?;
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::CrlSign];
        let certificate = params.self_signed(&key).map_err(&failed)?.pem();
        Ok(Self { certificate, key: key.serialize_pem(), issuer: Issuer::new(params, key) })
    }

    /// The authority's certificate as PEM.
    pub(crate) fn certificate(&self) -> &str {
        &self.certificate
    }

    /// The authority's key as PEM: the controller manager signs requests with it.
    pub(crate) fn key(&self) -> &str {
        &self.key
    }

    /// For whoever authenticates as `user` with `groups`.
    pub(crate) fn client(&self, user: &str, groups: &[&str]) -> Result<Identity, TestbedError> {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, user);
        for group in groups {
            params.distinguished_name.push(DnType::OrganizationName, *group);
        }
        self.sign(user, params, ExtendedKeyUsagePurpose::ClientAuth)
    }

    /// For a server that is reached by these names and addresses.
    pub(crate) fn server(&self, name: &str, names: &[&str], addresses: &[IpAddr]) -> Result<Identity, TestbedError> {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut params = CertificateParams::new(names).map_err(failed(name))?;
        params.subject_alt_names.extend(addresses.iter().map(|address| SanType::IpAddress(*address)));
        params.distinguished_name.push(DnType::CommonName, name);
        self.sign(name, params, ExtendedKeyUsagePurpose::ServerAuth)
    }

    fn sign(&self, name: &str, mut params: CertificateParams, usage: ExtendedKeyUsagePurpose) -> Result<Identity, TestbedError> {
        let failed = failed(name);
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![usage];
        let key = KeyPair::generate().map_err(&failed)?;
        let certificate = params.signed_by(&key, &self.issuer).map_err(&failed)?.pem();
        Ok(Identity { certificate, key: key.serialize_pem() })
    }
}

impl Identity {
    /// Writes `NAME.crt` and `NAME.key` into `directory`.
    pub(crate) fn write(&self, directory: &Path, name: &str) -> Result<(), TestbedError> {
        write(&directory.join(format!("{name}.crt")), &self.certificate)?;
        write(&directory.join(format!("{name}.key")), &self.key)
    }
}

/// A key for the tokens of service accounts: `NAME.key`, and its public half as `NAME.pub`.
pub(crate) fn write_token_key(directory: &Path, name: &str) -> Result<(), TestbedError> {
    let key = KeyPair::generate().map_err(failed(name))?;
    write(&directory.join(format!("{name}.key")), &key.serialize_pem())?;
    write(&directory.join(format!("{name}.pub")), &key.public_key_pem())
}

/// The directory is its owner's alone, so the files need not be.
pub(crate) fn write(path: &Path, contents: &str) -> Result<(), TestbedError> {
    fs::write(path, contents).map_err(TestbedError::file("write", path))
}

fn failed(name: &str) -> impl Fn(rcgen::Error) -> TestbedError + use<> {
    let name = name.to_owned();
    move |source| TestbedError::Certificate { name: name.clone(), source }
}
