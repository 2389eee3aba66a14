//! Making and reading certificates.

use std::net::IpAddr;

use harmony_types::{HostName, NonBlank};
use rcgen::{BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose};
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;
use x509_parser::pem::Pem;

use super::authority::IssuedOutputs;

/// Why a certificate cannot be made or read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(super) enum X509Error {
    #[error("failed to make a certificate")]
    Make(#[from] rcgen::Error),
    #[error("what is stored is not a certificate")]
    Read,
}

const DAY: i64 = 24 * 60 * 60;
/// The longest that browsers accept for a server's certificate, and a round year with slack for a site that is applied once a year.
const LEAF_DAYS: i64 = 397;
/// A month to renew in.
const RENEW_BEFORE_DAYS: i64 = 30;
const AUTHORITY_YEARS: i32 = 10;

/// What can be read of a certificate.
pub(super) struct Facts {
    pub(super) subject: Option<NonBlank>,
    pub(super) names: Vec<HostName>,
    pub(super) expires_soon: bool,
}

pub(super) fn make_authority(subject: &NonBlank) -> Result<IssuedOutputs, X509Error> {
    let key = KeyPair::generate()?;
    let mut params = CertificateParams::new(Vec::new())?;
    params.distinguished_name.push(DnType::CommonName, subject.as_str());
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let (from, _) = validity(0);
    params.not_before = from;
    params.not_after = from.replace_year(from.year() + AUTHORITY_YEARS).unwrap_or(from);
    let certificate = params.self_signed(&key)?;
    Ok(IssuedOutputs { certificate: certificate.pem(), key: key.serialize_pem() })
}

pub(super) fn issue(subject: &NonBlank, names: &[HostName], issuer: &str, issuer_key: &str) -> Result<IssuedOutputs, X509Error> {
    let key = KeyPair::generate()?;
    let mut params = CertificateParams::new(names.iter().map(|name| name.as_str().to_owned()).collect::<Vec<_>>())?;
    params.distinguished_name.push(DnType::CommonName, subject.as_str());
    params.is_ca = IsCa::ExplicitNoCa;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
    params.use_authority_key_identifier_extension = true;
    (params.not_before, params.not_after) = validity(LEAF_DAYS);
    let issuer = Issuer::from_ca_cert_pem(issuer, KeyPair::from_pem(issuer_key)?)?;
    let certificate = params.signed_by(&key, &issuer)?;
    Ok(IssuedOutputs { certificate: certificate.pem(), key: key.serialize_pem() })
}

/// From an hour ago, because clocks differ, for so many days.
fn validity(days: i64) -> (time::OffsetDateTime, time::OffsetDateTime) {
    let from = time::OffsetDateTime::now_utc() - time::Duration::HOUR;
    (from, from + time::Duration::days(days))
}

pub(super) fn read(certificate: &str) -> Result<Facts, X509Error> {
    with_parsed(certificate, |parsed| {
        let subject = parsed.subject().iter_common_name().next().and_then(|name| name.as_str().ok()?.parse().ok());
        let mut names: Vec<HostName> = parsed
            .subject_alternative_name()
            .ok()
            .flatten()
            .map(|names| names.value.general_names.iter().filter_map(host).collect())
            .unwrap_or_default();
        names.sort();
        let left = parsed.validity().not_after.timestamp() - x509_parser::time::ASN1Time::now().timestamp();
        Facts { subject, names, expires_soon: left < RENEW_BEFORE_DAYS * DAY }
    })
}

/// Whether `issuer` has signed `certificate`.
pub(super) fn is_issued_by(certificate: &str, issuer: &str) -> bool {
    with_parsed(issuer, |issuer| {
        with_parsed(certificate, |leaf| leaf.verify_signature(Some(issuer.public_key())).is_ok()).unwrap_or(false)
    })
    .unwrap_or(false)
}

fn with_parsed<T>(pem: &str, read: impl FnOnce(&X509Certificate<'_>) -> T) -> Result<T, X509Error> {
    let pem = Pem::iter_from_buffer(pem.as_bytes()).next().and_then(Result::ok).ok_or(X509Error::Read)?;
    let certificate = pem.parse_x509().map_err(|_| X509Error::Read)?;
    Ok(read(&certificate))
}

fn host(name: &GeneralName<'_>) -> Option<HostName> {
    match name {
        GeneralName::DNSName(name) => name.parse().ok(),
        GeneralName::IPAddress(bytes) => {
            let address = match bytes.len() {
                4 => IpAddr::from(<[u8; 4]>::try_from(*bytes).ok()?),
                _ => IpAddr::from(<[u8; 16]>::try_from(*bytes).ok()?),
            };
            address.to_string().parse().ok()
        }
        _ => None,
    }
}
