//! Clusters whose pods run.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};

use harmony_testbed::{Cluster, Clusters, Image, Kubectl, NodePrograms, available};

const SERVER: &str = "harmony.test/pod:1";

/// A pod that answers on port 8080 with its own name, as the restricted profile wants it, and services for it.
fn server(name: &str, node_port: u16) -> String {
    let labels = format!("{{app: {name}}}");
    let security = "{allowPrivilegeEscalation: false, runAsNonRoot: true, capabilities: {drop: [ALL]}, seccompProfile: {type: RuntimeDefault}}";
    format!(
        "apiVersion: v1\nkind: Pod\nmetadata: {{name: {name}, labels: {labels}}}\nspec:\n  terminationGracePeriodSeconds: 1\n  containers:\n  \
         - name: server\n    image: {SERVER}\n    args: [serve, ':8080']\n    securityContext: {security}\n    \
         readinessProbe: {{httpGet: {{port: 8080}}, periodSeconds: 1}}\n    volumeMounts: [{{name: data, mountPath: /data}}]\n  \
         volumes: [{{name: data, persistentVolumeClaim: {{claimName: {name}}}}}]\n---\n\
         apiVersion: v1\nkind: Service\nmetadata: {{name: {name}}}\nspec: {{selector: {labels}, ports: [{{port: 80, targetPort: 8080}}]}}\n---\n\
         apiVersion: v1\nkind: Service\nmetadata: {{name: {name}-outside}}\nspec: {{type: NodePort, selector: {labels}, \
         ports: [{{port: 80, targetPort: 8080, nodePort: {node_port}}}]}}\n---\n\
         apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {{name: {name}}}\nspec: {{accessModes: [ReadWriteOnce], \
         resources: {{requests: {{storage: 1Gi}}}}}}\n"
    )
}

fn start_server(kubectl: &Kubectl, name: &str, node_port: u16) {
    kubectl.run(&["label", "namespace", "default", "pod-security.kubernetes.io/enforce=restricted", "--overwrite"]).unwrap();
    kubectl.run_with_input(&["apply", "-f", "-"], &server(name, node_port)).unwrap();
    kubectl.run(&["wait", &format!("pod/{name}"), "--for=condition=Ready", "--timeout=60s"]).unwrap();
}

fn image() -> Image {
    let programs = NodePrograms::ensure(&|_| ()).unwrap();
    Image::new(SERVER, &["/pod"]).with_program("/pod", programs.pod)
}

/// Asks again for a moment: rules for packages and names follow the readiness of a pod a little later.
fn eventually(kubectl: &Kubectl, arguments: &[&str]) -> String {
    for _ in 0..50 {
        if let Ok(said) = kubectl.run(arguments) {
            return said;
        }
        std::thread::sleep(std::time::Duration::from_millis(200));
    }
    kubectl.run(arguments).unwrap()
}

/// Answers every request with these bytes.
fn answer(here: &TcpListener, bytes: &[u8]) {
    for connection in here.incoming() {
        let mut connection = connection.unwrap();
        // What was not read would reset the connection before its answer has been.
        let _ = connection.read(&mut [0; 4096]);
        let _ = connection.write_all(bytes);
    }
}

#[test]
fn pods_run_speak_and_are_found_by_name() {
    let Some(mut cluster) = available("pods_run_speak_and_are_found_by_name", Cluster::start("east")) else { return };
    cluster.load_image(&image()).unwrap();
    let kubectl = cluster.kubectl();
    start_server(&kubectl, "answers", 30080);
    let looked_up = eventually(&kubectl, &["exec", "answers", "--", "/pod", "lookup", "answers.default.svc"]);
    assert!(looked_up.starts_with("10.96."), "{looked_up}");
    let fetch = |url: &str| eventually(&kubectl, &["exec", "answers", "--", "/pod", "fetch", url]);
    let back = fetch("http://answers.default.svc.cluster.local/found");
    assert_eq!(back, "answers\n", "through its own service, back to itself");
    assert!(kubectl.run(&["logs", "answers"]).unwrap().contains("asked for /found"));
    kubectl.run(&["exec", "answers", "--", "/pod", "write", "/data/kept"]).unwrap();

    kubectl.run(&["delete", "pod", "answers"]).unwrap();
    start_server(&kubectl, "answers", 30080);
    kubectl.run(&["exec", "answers", "--", "/pod", "read", "/data/kept"]).unwrap();

    kubectl.run(&["create", "namespace", "lenient"]).unwrap();
    kubectl.run(&["run", "imageless", "--image=harmony.test/missing:1", "--namespace=lenient"]).unwrap();
    let reason = "jsonpath={.status.containerStatuses[0].state.waiting.reason}";
    let wait = ["wait", "pod/imageless", "--namespace=lenient", "--timeout=30s"];
    kubectl.run(&[wait.as_slice(), &["--for", &format!("{reason}=ErrImagePull")]].concat()).unwrap();

    let plane = cluster.control_plane().unwrap();
    plane.kill_api_server();
    assert!(kubectl.run(&["get", "pods"]).is_err());
    plane.start_api_server().unwrap();
    kubectl.run(&["exec", "answers", "--", "/pod", "read", "/data/kept"]).unwrap();

    cluster.kill_kubelet().unwrap();
    kubectl.run(&["wait", "node", "--all", "--for=condition=Ready=Unknown", "--timeout=60s"]).unwrap();
    cluster.start_kubelet().unwrap();
    kubectl.run(&["wait", "pod/answers", "--for=condition=Ready", "--timeout=60s"]).unwrap();
}

#[test]
fn clusters_reach_each_other_by_node_ports_alone() {
    let name = "clusters_reach_each_other_by_node_ports_alone";
    let Some(mut clusters) = available(name, Clusters::start(&["east", "west"])) else { return };
    for cluster in clusters.iter_mut() {
        cluster.load_image(&image()).unwrap();
        start_server(&cluster.kubectl(), cluster.name(), 30080);
    }
    let east = clusters.find("east").unwrap().kubectl();
    let west = clusters.find("west").unwrap().node_address().unwrap();
    let fetched = eventually(&east, &["exec", "east", "--", "/pod", "fetch", &format!("http://{west}:30080/")]);
    assert_eq!(fetched, "west\n");
    let mut from_here = TcpStream::connect((west, 30080)).unwrap();
    from_here.write_all(b"GET / HTTP/1.0\r\n\r\n").unwrap();
    let mut said = String::new();
    from_here.read_to_string(&mut said).unwrap();
    assert!(said.ends_with("west\n"), "{said}");
    let here = TcpListener::bind((clusters.machine_address().unwrap(), 0)).unwrap();
    let address = here.local_addr().unwrap();
    std::thread::spawn(move || answer(&here, b"HTTP/1.0 200 OK\r\n\r\nhere\n"));
    assert_eq!(eventually(&east, &["exec", "east", "--", "/pod", "fetch", &format!("http://{address}/")]), "here\n");

    assert!(east.run(&["exec", "east", "--", "/pod", "fetch", "http://west.default.svc.cluster.local/"]).is_err());
    assert!(east.run(&["exec", "east", "--", "/pod", "fetch", "http://192.0.2.1/"]).is_err(), "nothing leads outside");
}
