//! Clusters that somebody gives us to test on.

use std::env;
use std::fs;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tempfile::TempDir;

use crate::control_plane::say;
use crate::error::TestbedError;
use crate::kubectl::Kubectl;
use crate::programs::Programs;

/// The variable that names a kubeconfig.
const VARIABLE: &str = "HARMONY_TEST_KUBECONFIG";

/// A context of the kubeconfig that `HARMONY_TEST_KUBECONFIG` names.
#[derive(Debug)]
pub(crate) struct GivenCluster {
    context: String,
    kubectl: Kubectl,
    kubeconfig: PathBuf,
    _directory: Arc<TempDir>,
}

impl GivenCluster {
    pub(crate) fn context(&self) -> &str {
        &self.context
    }

    pub(crate) fn kubeconfig(&self) -> PathBuf {
        self.kubeconfig.clone()
    }

    pub(crate) fn kubectl(&self) -> Kubectl {
        self.kubectl.clone()
    }

    pub(crate) fn node_address(&self) -> Result<IpAddr, TestbedError> {
        let path = "jsonpath={.items[0].status.addresses[?(@.type==\"InternalIP\")].address}";
        let said = self.kubectl.run(&["get", "nodes", "-o", path])?;
        let first = said.split_whitespace().next().and_then(|address| address.parse().ok());
        first.ok_or_else(|| TestbedError::Lacking {
            what: format!("an address of a node of `{}`", self.context),
            hint: "give the nodes addresses of type InternalIP",
        })
    }
}

/// The kubeconfig that is given, if one is, and a cluster of it for each of `names`.
pub(crate) fn given_clusters(names: &[&str]) -> Result<Option<(PathBuf, Vec<GivenCluster>)>, TestbedError> {
    let Some(kubeconfig) = env::var_os(VARIABLE).filter(|path| !path.is_empty()).map(PathBuf::from) else { return Ok(None) };
    let temporary = env::temp_dir();
    let directory = tempfile::tempdir().map_err(TestbedError::file("create a directory in", &temporary))?;
    let kubectl = Kubectl::new(&Programs::ensure(&say)?, &kubeconfig, directory.path());
    let listed = kubectl.run(&["config", "get-contexts", "--output=name"])?;
    let contexts = choose(names, &listed.lines().collect::<Vec<_>>()).ok_or_else(|| TestbedError::Lacking {
        what: format!("{} contexts in `{}`", names.len(), kubeconfig.display()),
        hint: "name a kubeconfig with a context for each cluster in `HARMONY_TEST_KUBECONFIG`, or none at all",
    })?;
    let directory = Arc::new(directory);
    let given = contexts.into_iter().enumerate().map(|(number, context)| {
        let own = directory.path().join(format!("kubeconfig-{number}"));
        write_context(&kubectl, &context, &own)?;
        let kubectl = kubectl.clone().with_kubeconfig(&own);
        Ok(GivenCluster { context, kubectl, kubeconfig: own, _directory: Arc::clone(&directory) })
    });
    let given = given.collect::<Result<_, _>>()?;
    Ok(Some((kubeconfig, given)))
}

/// Those with the names, and for the other names the remaining ones in their order.
fn choose(names: &[&str], contexts: &[&str]) -> Option<Vec<String>> {
    let mut others = contexts.iter().filter(|context| !names.contains(context));
    let chosen = names.iter().map(|name| if contexts.contains(name) { Some(name) } else { others.next() });
    chosen.map(|context| context.map(|context| (*context).to_owned())).collect()
}

/// Writes a kubeconfig with nothing but this context.
fn write_context(kubectl: &Kubectl, context: &str, path: &Path) -> Result<(), TestbedError> {
    let flat = kubectl.run(&["config", "view", "--flatten", "--minify", "--context", context])?;
    fs::write(path, flat).map_err(TestbedError::file("write", path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contexts_are_chosen_by_name_then_by_order() {
        let contexts = ["k3d-one", "west", "k3d-two", "k3d-three"];
        assert_eq!(choose(&["east", "north", "west"], &contexts).unwrap(), ["k3d-one", "k3d-two", "west"]);
        assert_eq!(choose(&["east", "north"], &["only"]), None);
    }
}
