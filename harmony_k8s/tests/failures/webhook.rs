//! A webhook that denies what it is asked about.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;

use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use serde_json::{Value as Json, json};

/// Its address, and its certificate in PEM.
pub(crate) struct Webhook {
    pub(crate) url: String,
    pub(crate) certificate: String,
}

impl Webhook {
    /// Starts one that denies everything with these words, and ends with this process.
    pub(crate) fn start(words: &'static str) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let made = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).unwrap();
        let key = PrivatePkcs8KeyDer::from(made.signing_key.serialize_der());
        let config = ServerConfig::builder().with_no_client_auth();
        let config = Arc::new(config.with_single_cert(vec![made.cert.der().clone()], key.into()).unwrap());
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("https://{}/", listener.local_addr().unwrap());
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let connection = ServerConnection::new(Arc::clone(&config)).unwrap();
                thread::spawn(move || answer(StreamOwned::new(connection, stream), words));
            }
        });
        Self { url, certificate: made.cert.pem() }
    }
}

/// Reads one request and denies it; whoever goes away meanwhile needs no answer.
fn answer(mut stream: StreamOwned<ServerConnection, TcpStream>, words: &str) -> Option<()> {
    let mut read = Vec::new();
    let (head, body) = loop {
        let mut some = [0; 16_384];
        let count = stream.read(&mut some).ok().filter(|count| *count > 0)?;
        read.extend_from_slice(&some[..count]);
        let Some(end) = read.windows(4).position(|bytes| bytes == b"\r\n\r\n") else { continue };
        break (String::from_utf8_lossy(&read[..end]).to_lowercase(), read.split_off(end + 4));
    };
    let length = head.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse::<usize>().ok())?;
    let mut body = body;
    let mut rest = vec![0; length.saturating_sub(body.len())];
    stream.read_exact(&mut rest).ok()?;
    body.append(&mut rest);
    let review: Json = serde_json::from_slice(&body).ok()?;
    let denied = json!({
        "apiVersion": "admission.k8s.io/v1",
        "kind": "AdmissionReview",
        "response": { "uid": review["request"]["uid"], "allowed": false, "status": { "message": words } },
    })
    .to_string();
    let answer = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{denied}",
        denied.len()
    );
    stream.write_all(answer.as_bytes()).ok()?;
    stream.conn.send_close_notify();
    stream.flush().ok()
}
