//! How a client reaches an API server: <https://kubernetes.io/docs/concepts/configuration/organize-cluster-access-kubeconfig/>.

use data_encoding::BASE64;
use serde_json::json;

use crate::authority::Identity;

/// A kubeconfig with one context called `context`, everything in it. It is JSON, which is YAML too.
pub(crate) fn render_kubeconfig(context: &str, server: &str, authority: &str, user: &str, identity: &Identity) -> String {
    let encode = |pem: &str| BASE64.encode(pem.as_bytes());
    // Several files may be joined to one, in which names are unique.
    let user = format!("{user}@{context}");
    let config = json!({
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": context,
        "clusters": [{"name": context, "cluster": {"server": server, "certificate-authority-data": encode(authority)}}],
        "users": [{"name": user, "user": {
            "client-certificate-data": encode(&identity.certificate),
            "client-key-data": encode(&identity.key),
        }}],
        "contexts": [{"name": context, "context": {"cluster": context, "user": user}}],
    });
    format!("{config:#}\n")
}
