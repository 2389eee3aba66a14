//! A server before an API server, which disturbs what goes through.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Instant;

use http::Request;
use kube::client::Body;
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};
use tempfile::TempDir;

/// What becomes of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Act {
    Pass,
    /// It is answered with this code, and `Retry-After` if there are seconds, and goes no further.
    Answer(u16, Option<u64>),
    /// It is done, and the connection ends without an answer.
    DropAfter,
}

/// A request that came: when, its method, its path with query, and what became of it.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) at: Instant,
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) act: Act,
}

impl Asked {
    /// Whether it would change something.
    pub(crate) fn is_write(&self) -> bool {
        matches!(self.method.as_str(), "PATCH" | "DELETE") && !self.path.contains("dryRun")
    }
}

type Rule = dyn Fn(&Asked, &[Asked]) -> Act + std::marker::Send + Sync;

pub(crate) struct Front {
    pub(crate) kubeconfig: PathBuf,
    asked: Arc<Mutex<Vec<Asked>>>,
    _directory: TempDir,
}

impl Front {
    /// Starts one before the API server of `kubeconfig`; `rule` says of each request what becomes of it, knowing all before it.
    pub(crate) async fn start(
        kubeconfig: &Path,
        rule: impl Fn(&Asked, &[Asked]) -> Act + std::marker::Send + Sync + 'static,
    ) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let read = Kubeconfig::read_from(kubeconfig).unwrap();
        let config = Config::from_custom_kubeconfig(read, &KubeConfigOptions::default()).await.unwrap();
        let client = Client::try_from(config).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let directory = TempDir::new().unwrap();
        let path = directory.path().join("kubeconfig");
        let written = format!(
            "apiVersion: v1\nkind: Config\nclusters: [{{ name: c, cluster: {{ server: 'http://{}' }} }}]\nusers: [{{ name: u, user: {{}} }}]\n\
             contexts: [{{ name: testbed, context: {{ cluster: c, user: u }} }}]\ncurrent-context: testbed\n",
            listener.local_addr().unwrap()
        );
        std::fs::write(&path, written).unwrap();
        let (asked, rule): (Arc<Mutex<Vec<Asked>>>, Arc<Rule>) = (Arc::default(), Arc::new(rule));
        let (seen, runtime) = (Arc::clone(&asked), tokio::runtime::Handle::current());
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (client, seen, rule, runtime) = (client.clone(), Arc::clone(&seen), Arc::clone(&rule), runtime.clone());
                thread::spawn(move || while serve(&stream, &client, &seen, &*rule, &runtime).is_some() {});
            }
        });
        Self { kubeconfig: path, asked, _directory: directory }
    }

    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }
}

/// Serves one request of a connection; nothing when that is over.
fn serve(
    stream: &TcpStream,
    client: &Client,
    seen: &Mutex<Vec<Asked>>,
    rule: &Rule,
    runtime: &tokio::runtime::Handle,
) -> Option<()> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|count| *count > 0)?;
    let mut words = line.split_whitespace();
    let (method, path) = (words.next()?.to_owned(), words.next()?.to_owned());
    let (mut length, mut request) = (0, Request::builder().method(method.as_str()).uri(path.as_str()));
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim().split_once(": ") else { break };
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.parse().ok()?,
            name @ ("accept" | "content-type") => request = request.header(name, value),
            _ => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let mut asked = Asked { at: Instant::now(), method, path, act: Act::Pass };
    let act = {
        let mut seen = seen.lock().unwrap();
        asked.act = rule(&asked, &seen);
        seen.push(asked.clone());
        asked.act
    };
    if let Act::Answer(code, seconds) = act {
        let later = seconds.map(|seconds| format!("Retry-After: {seconds}\r\n")).unwrap_or_default();
        return answer(stream, code, &later, br#"{"kind":"Status","message":"the front does not want to"}"#);
    }
    let (code, body) = runtime.block_on(async {
        let (head, body) = client.send(request.body(Body::from(body)).ok()?).await.ok()?.into_parts();
        Some((head.status.as_u16(), body.collect_bytes().await.ok()?))
    })?;
    if act == Act::DropAfter {
        let _ = stream.shutdown(std::net::Shutdown::Both);
        return None;
    }
    answer(stream, code, "", &body)
}

fn answer(mut stream: &TcpStream, code: u16, headers: &str, body: &[u8]) -> Option<()> {
    let head =
        format!("HTTP/1.1 {code} Front\r\nContent-Type: application/json\r\nContent-Length: {}\r\n{headers}\r\n", body.len());
    stream.write_all(&[head.as_bytes(), body].concat()).ok()
}
