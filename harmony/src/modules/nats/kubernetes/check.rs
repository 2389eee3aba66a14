//! What cannot be, or contradicts what others say.

use harmony_types::{ByteSize, HostName};

use super::settings::NatsK8sSettings;
use crate::error::ArrangeError;
use crate::modules::nats::spec::NatsFragment;
use crate::origin::Origin;
use crate::stage::Contribution;

/// Refuses settings that no cluster takes.
pub(super) fn check(settings: &NatsK8sSettings, origin: &Origin) -> Result<(), ArrangeError> {
    let refused = |what: String, hint: &str| Err(ArrangeError::refused(what, vec![origin.clone()], hint));
    for namespace in settings.namespace.iter().chain(&settings.client_namespaces) {
        if !is_label(namespace) {
            return refused(format!("`{namespace}` is not the name of a namespace"), LABEL);
        }
    }
    for (what, name) in [("a storage class", &settings.storage_class), ("a ConfigMap", &settings.ca_bundle)] {
        if let Some(name) = name.as_deref().filter(|name| !name.split('.').all(is_label)) {
            return refused(format!("`{name}` is not the name of {what}"), SUBDOMAIN);
        }
    }
    if let Some(image) = settings.image.as_deref().filter(|image| !is_image(image)) {
        return refused(format!("`{image}` is not the name of an image"), "write it as container engines do: `nats:2.15.1`");
    }
    if let Some(name) = settings.certificate_names.iter().find(|name| name.parse::<HostName>().is_err()) {
        return refused(format!("`{name}` cannot be in a certificate"), "write a DNS name or an IP address");
    }
    let tolerated = settings.tolerations.iter().map(|toleration| &toleration.key);
    let spread = settings.spread.iter().map(|spread| &spread.over);
    if let Some(key) = settings.node_labels.keys().chain(tolerated).chain(spread).find(|key| !is_key(key)) {
        return refused(
            format!("`{key}` is not the key of a label or taint"),
            "write it as Kubernetes does: `topology.kubernetes.io/zone`",
        );
    }
    check_amounts(settings, origin)
}

fn check_amounts(settings: &NatsK8sSettings, origin: &Origin) -> Result<(), ArrangeError> {
    let refused = |what: String, hint: &str| Err(ArrangeError::refused(what, vec![origin.clone()], hint));
    let (requests, limits) = (settings.requests, settings.limits);
    let sizes = [("volume", settings.storage), ("request for memory", requests.memory), ("limit of memory", limits.memory)];
    if let Some((what, _)) = sizes.into_iter().find(|(_, size)| *size == Some(ByteSize::bytes(0))) {
        return refused(format!("a server's {what} is of no size"), "say how large it is, or leave it to the default");
    }
    match (requests.memory, limits.memory) {
        (Some(request), Some(limit)) if request > limit => {
            return refused(format!("a server is to be sure of {request} of memory, and to get {limit} at most"), RAISE);
        }
        _ => {}
    }
    match (requests.cpus, limits.cpus) {
        (Some(request), Some(limit)) if request > limit => {
            refused(format!("a server is to be sure of {request} processors, and to get {limit} at most"), RAISE)
        }
        _ => Ok(()),
    }
}

const RAISE: &str = "raise the limit, or lower the request";
const LABEL: &str = "write 1 to 63 of `a-z`, `0-9` and inner `-`";
const SUBDOMAIN: &str = "write labels of 1 to 63 of `a-z`, `0-9` and inner `-`, with dots between them";

/// Refuses what JetStream is told to hold where it has no room for it. All Scores have spoken.
pub(super) fn check_room(
    settings: &NatsK8sSettings,
    origin: &Origin,
    said: &[Contribution<NatsFragment>],
) -> Result<(), ArrangeError> {
    let refused =
        |what: String, other: &Origin, hint: &str| Err(ArrangeError::refused(what, vec![origin.clone(), other.clone()], hint));
    let mut has_jetstream = false;
    for Contribution { origin: other, fragment } in said {
        let NatsFragment::Jetstream(jetstream) = fragment else { continue };
        has_jetstream = true;
        match (jetstream.max_file, settings.storage) {
            (Some(held), Some(volume)) if held > volume => {
                let what = format!("JetStream may hold {held} on each server, whose volume has {volume}");
                return refused(what, other, "make the volumes larger, or let JetStream hold less");
            }
            _ => {}
        }
        match (jetstream.max_memory, settings.limits.memory) {
            (Some(held), Some(limit)) if held >= limit => {
                let what = format!("JetStream may hold {held} in memory on each server, which gets {limit} for everything");
                return refused(what, other, "raise the limit of memory, or let JetStream hold less in memory");
            }
            _ => {}
        }
    }
    match (settings.storage, &settings.storage_class) {
        (None, None) => Ok(()),
        _ if has_jetstream => Ok(()),
        _ => Err(ArrangeError::refused(
            "servers without JetStream keep nothing, and are to have volumes",
            vec![origin.clone()],
            "add `JetstreamScore::on`, or say nothing of volumes",
        )),
    }
}

/// An RFC 1123 label.
fn is_label(text: &str) -> bool {
    let is_inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=63).contains(&text.len()) && text.bytes().all(is_inner) && !text.starts_with('-') && !text.ends_with('-')
}

/// The key of a label, an annotation or a taint: a name, with a DNS name before it if need be.
fn is_key(text: &str) -> bool {
    let (prefix, name) = text.split_once('/').map_or((None, text), |(prefix, name)| (Some(prefix), name));
    let is_inner = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let ends = |c: char| c.is_ascii_alphanumeric();
    prefix.is_none_or(|prefix| prefix.split('.').all(is_label))
        && (1..=63).contains(&name.len())
        && name.chars().all(is_inner)
        && name.starts_with(ends)
        && name.ends_with(ends)
}

fn is_image(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_graphic()) && text.starts_with(|c: char| c.is_ascii_alphanumeric())
}
