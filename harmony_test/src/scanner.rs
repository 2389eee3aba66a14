//! Looks for secrets in bytes, however they are written there.

use std::collections::{BTreeSet, HashMap};
use std::fmt::Write;

use data_encoding::{BASE64, BASE64URL, Encoding, HEXLOWER, HEXUPPER};

/// What is compared first; every form of a secret is longer.
const HEAD: usize = 8;

/// Finds secrets in anything that was said, kept or sent, in whatever way they are written there.
#[derive(Default)]
pub struct SecretScanner {
    forms: Vec<Form>,
    by_head: HashMap<[u8; HEAD], Vec<usize>>,
}

/// One way to write a secret.
struct Form {
    secret: String,
    encoding: &'static str,
    bytes: Vec<u8>,
}

impl SecretScanner {
    /// Looks for `value` too: as it is, and in base64 (both alphabets, at all three alignments, with or without padding), in hex, in URLs
    /// and in JSON.
    ///
    /// # Panics
    /// If it is so short that chance would find it.
    pub fn add(&mut self, secret: &str, value: &[u8]) {
        assert!(value.len() >= 12, "{secret} is too short to be told from chance");
        self.add_form(secret, "raw", value.to_vec());
        for alignment in 0..3 {
            self.add_form(secret, "base64", base64(&BASE64, value, alignment));
            self.add_form(secret, "base64url", base64(&BASE64URL, value, alignment));
        }
        self.add_form(secret, "hex", HEXLOWER.encode(value).into_bytes());
        self.add_form(secret, "HEX", HEXUPPER.encode(value).into_bytes());
        for (encoding, bytes) in written_in_text(value) {
            self.add_form(secret, encoding, bytes);
        }
    }

    /// Looks for a private key in PEM: its text, each of its lines that has a part of the number that is the key, its DER, and that number.
    ///
    /// # Panics
    /// If it is no such key.
    pub fn add_key(&mut self, secret: &str, pem: &str) {
        let lines: Vec<&str> = pem.lines().filter(|line| !line.starts_with('-')).collect();
        let der = BASE64.decode(lines.concat().as_bytes()).expect("PEM");
        let at = der.windows(5).position(|bytes| bytes == [2, 1, 1, 4, 32]).expect("a key on an elliptic curve") + 5;
        let number = at..at + 32;
        self.add(secret, pem.as_bytes());
        self.add(secret, &der);
        self.add(secret, &der[number.clone()]);
        for (line, begin) in lines.iter().zip((0..).step_by(48)) {
            if begin < number.end && number.start < begin + 48 {
                self.add(secret, line.as_bytes());
            }
        }
    }

    /// How many forms are looked for.
    #[must_use]
    pub fn forms(&self) -> usize {
        self.forms.len()
    }

    /// The secrets that are in `bytes`.
    #[must_use]
    pub fn secrets_in(&self, bytes: &[u8]) -> BTreeSet<&str> {
        self.found_in(bytes).map(|form| form.secret.as_str()).collect()
    }

    /// The secrets that are in `bytes`, and how they are written there.
    #[must_use]
    pub fn find(&self, bytes: &[u8]) -> BTreeSet<(&str, &'static str)> {
        self.found_in(bytes).map(|form| (form.secret.as_str(), form.encoding)).collect()
    }

    fn found_in<'a>(&'a self, bytes: &[u8]) -> impl Iterator<Item = &'a Form> {
        bytes.windows(HEAD).enumerate().flat_map(move |(at, head)| {
            let forms = self.by_head.get(head).into_iter().flatten();
            forms.map(|form| &self.forms[*form]).filter(move |form| bytes[at..].starts_with(&form.bytes))
        })
    }

    fn add_form(&mut self, secret: &str, encoding: &'static str, bytes: Vec<u8>) {
        let Some(head) = bytes.first_chunk().copied() else { return };
        self.by_head.entry(head).or_default().push(self.forms.len());
        self.forms.push(Form { secret: secret.to_owned(), encoding, bytes });
    }
}

/// The characters that are the same whatever stands before and behind `value`, if it begins `alignment` bytes into a group of three.
fn base64(alphabet: &Encoding, value: &[u8], alignment: usize) -> Vec<u8> {
    let shifted = [&vec![0; alignment], value].concat();
    let certain = (alignment * 8).div_ceil(6)..shifted.len() * 8 / 6;
    alphabet.encode(&shifted).into_bytes()[certain].to_vec()
}

/// Where a text is written into another text, what must be escaped there.
fn written_in_text(value: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    let Ok(text) = std::str::from_utf8(value) else { return Vec::new() };
    let json = serde_json::to_string(text).unwrap();
    let json = &json[1..json.len() - 1];
    let mut forms = vec![
        ("json", json.to_owned()),
        ("json in ASCII", ascii(json)),
        ("json of Go", go(json)),
        ("json in json", nested(json)),
        ("debug", debug(text)),
    ];
    for (encoding, upper, plain) in [
        ("url", true, "-._~"),
        ("url, small", false, "-._~"),
        ("url of userinfo", true, "-._~$&+,;=!'()*"),
        ("form", true, "-._*"),
    ] {
        let encoded = percent(value, upper, plain);
        forms.push((encoding, if encoding == "form" { encoded.replace("%20", "+") } else { encoded }));
    }
    forms.into_iter().map(|(encoding, text)| (encoding, text.into_bytes())).collect()
}

fn go(json: &str) -> String {
    json.replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026")
}

fn ascii(json: &str) -> String {
    let escape = |unit: u16| if unit < 128 { String::from(char::from(unit as u8)) } else { format!("\\u{unit:04x}") };
    json.encode_utf16().map(escape).collect()
}

fn nested(json: &str) -> String {
    let twice = serde_json::to_string(json).unwrap();
    twice[1..twice.len() - 1].to_owned()
}

fn debug(text: &str) -> String {
    let quoted = format!("{text:?}");
    quoted[1..quoted.len() - 1].to_owned()
}

fn percent(value: &[u8], upper: bool, plain: &str) -> String {
    let mut encoded = String::new();
    for byte in value {
        match char::from(*byte) {
            letter if letter.is_ascii_alphanumeric() || plain.contains(letter) => encoded.push(letter),
            _ if upper => write!(encoded, "%{byte:02X}").unwrap(),
            _ => write!(encoded, "%{byte:02x}").unwrap(),
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLANTED: &str = "p@ss/w%rd<&>\"\\é $x+";

    fn planted() -> SecretScanner {
        let mut scanner = SecretScanner::default();
        scanner.add("planted", PLANTED.as_bytes());
        scanner
    }

    #[test]
    fn a_planted_secret_is_found_in_every_encoding() {
        let forms: [(&str, Vec<u8>); 12] = [
            ("raw", PLANTED.into()),
            ("hex", HEXLOWER.encode(PLANTED.as_bytes()).into()),
            ("HEX", HEXUPPER.encode(PLANTED.as_bytes()).into()),
            ("json in ASCII", "p@ss/w%rd<&>\\\"\\\\\\u00e9 $x+".into()),
            ("json", "p@ss/w%rd<&>\\\"\\\\é $x+".into()),
            ("json of Go", "p@ss/w%rd\\u003c\\u0026\\u003e\\\"\\\\é $x+".into()),
            ("json in json", "p@ss/w%rd<&>\\\\\\\"\\\\\\\\é $x+".into()),
            ("debug", format!("{PLANTED:?}").into()),
            ("url", "p%40ss%2Fw%25rd%3C%26%3E%22%5C%C3%A9%20%24x%2B".into()),
            ("url, small", "p%40ss%2fw%25rd%3c%26%3e%22%5c%c3%a9%20%24x%2b".into()),
            ("url of userinfo", "p%40ss%2Fw%25rd%3C&%3E%22%5C%C3%A9%20$x+".into()),
            ("form", "p%40ss%2Fw%25rd%3C%26%3E%22%5C%C3%A9+%24x%2B".into()),
        ];
        for (encoding, form) in forms {
            let text = [b"before ".as_slice(), &form, b" behind"].concat();
            let found = planted().find(&text).into_iter().map(|(_, encoding)| encoding).collect::<Vec<_>>();
            assert!(found.contains(&encoding), "{encoding} in {}: {found:?}", String::from_utf8_lossy(&text));
        }
    }

    #[test]
    fn a_planted_secret_is_found_in_base64_whatever_stands_around_it() {
        let alphabets = [&BASE64, &BASE64URL, &data_encoding::BASE64_NOPAD, &data_encoding::BASE64URL_NOPAD];
        for (alphabet, before, behind) in
            alphabets.iter().flat_map(|alphabet| (0..4).map(move |length| (alphabet, length, 5 - length)))
        {
            let text = format!("{}{PLANTED}{}", "b".repeat(before), "a".repeat(behind));
            let encoded = alphabet.encode(text.as_bytes());
            assert!(!planted().find(encoded.as_bytes()).is_empty(), "{encoded}");
            assert!(!planted().find(format!("x{encoded}").as_bytes()).is_empty(), "{encoded}");
        }
    }

    #[test]
    fn a_planted_key_is_found_by_its_text_its_lines_its_der_and_its_number() {
        let pair = rcgen::KeyPair::generate().unwrap();
        let (pem, der) = (pair.serialize_pem(), pair.serialize_der());
        let mut scanner = SecretScanner::default();
        scanner.add_key("key", &pem);
        let (first, second) = (pem.lines().nth(1).unwrap(), pem.lines().nth(2).unwrap());
        let number = HEXLOWER.encode(&der[36..68]);
        for text in [pem.as_bytes(), first.as_bytes(), second.as_bytes(), &der, number.as_bytes(), BASE64.encode(&der).as_bytes()]
        {
            assert_eq!(scanner.secrets_in(text).len(), 1, "{}", String::from_utf8_lossy(text));
        }
        // What everybody may know of it is no secret.
        assert!(scanner.find(pair.public_key_pem().as_bytes()).is_empty());
        assert!(scanner.find(pair.public_key_raw()).is_empty());
    }

    #[test]
    fn nothing_is_found_where_nothing_is() {
        assert!(planted().find(b"p@ss/w%rd without the rest, and short").is_empty());
        assert!(planted().find(b"").is_empty());
    }
}
