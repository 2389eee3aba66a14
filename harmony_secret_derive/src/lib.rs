//! `#[derive(Secret)]`: gives a struct the name under which it is kept.
//!
//! It only names the struct; how it is written, read and asked for comes from its serde and schemars derives. Use it through
//! `harmony_secret`, which exports it beside the trait. It does not check names itself: the rule is the trait's crate's, which the
//! written code asks while it is compiled.

use proc_macro::TokenStream;
use proc_macro2::{Span, TokenStream as Tokens};
use quote::quote_spanned;
use syn::{Data, DeriveInput, Error, Fields, LitStr, Result, parse_macro_input, spanned::Spanned};

/// Implements `harmony_secret::Secret` for a struct with named fields.
///
/// The name is the struct's in kebab-case (`NatsCredentials` is `nats-credentials`), or what `#[secret(name = "nats/admin")]` says.
#[proc_macro_derive(Secret, attributes(secret))]
pub fn derive_secret(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    implementation(&input).unwrap_or_else(Error::into_compile_error).into()
}

fn implementation(input: &DeriveInput) -> Result<Tokens> {
    require_fields(input)?;
    require_no_parameters(input)?;
    let (name, span) = name(input)?;
    let ident = &input.ident;
    let message =
        format!("`{name}` is not the name of a secret: it takes segments of `a-z`, `0-9`, `-`, `_`, `.`, joined by `/`");
    Ok(quote_spanned! {span=>
        const _: () = ::core::assert!(::harmony_secret::SecretName::is_valid(#name), "{}", #message);

        impl ::harmony_secret::Secret for #ident {
            const NAME: &'static str = #name;
        }
    })
}

fn require_fields(input: &DeriveInput) -> Result<()> {
    match &input.data {
        Data::Struct(data) if matches!(data.fields, Fields::Named(_)) => Ok(()),
        _ => Err(Error::new(input.ident.span(), "a secret is a struct with named fields: each is asked for by its name")),
    }
}

fn require_no_parameters(input: &DeriveInput) -> Result<()> {
    if input.generics.params.is_empty() {
        return Ok(());
    }
    let message = "a secret has no parameters: all its instances would be kept under one name";
    Err(Error::new(input.generics.span(), message))
}

fn name(input: &DeriveInput) -> Result<(String, Span)> {
    let mut given: Option<LitStr> = None;
    for attribute in input.attrs.iter().filter(|attribute| attribute.path().is_ident("secret")) {
        attribute.parse_nested_meta(|meta| {
            if !meta.path.is_ident("name") {
                return Err(meta.error("the only thing to say here is `name = \"...\"`"));
            }
            if given.is_some() {
                return Err(meta.error("the name is said twice"));
            }
            given = Some(meta.value()?.parse()?);
            Ok(())
        })?;
    }
    Ok(match given {
        Some(name) => (name.value(), name.span()),
        None => (kebab_case(&input.ident.to_string()), input.ident.span()),
    })
}

/// A hyphen stands before a capital that starts a word: after a small letter or digit, or before a small letter (`TLSKey`).
fn kebab_case(ident: &str) -> String {
    let letters: Vec<char> = ident.trim_start_matches("r#").chars().collect();
    let mut kebab = String::new();
    for (index, letter) in letters.iter().enumerate() {
        let before = index.checked_sub(1).map(|index| letters[index]);
        let after = letters.get(index + 1);
        let starts_word = letter.is_uppercase()
            && before.is_some_and(|before| {
                !before.is_uppercase() && before != '_'
                    || before.is_uppercase() && after.is_some_and(|after| after.is_lowercase())
            });
        if starts_word {
            kebab.push('-');
        }
        kebab.extend(if *letter == '_' { '-' } else { *letter }.to_lowercase());
    }
    kebab
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_parted_by_hyphens() {
        for (ident, kebab) in [
            ("NatsCredentials", "nats-credentials"),
            ("TLSKey", "tls-key"),
            ("Ed25519Key", "ed25519-key"),
            ("Token", "token"),
            ("ApiV2Token", "api-v2-token"),
            ("Old_Token", "old-token"),
            ("r#Type", "type"),
        ] {
            assert_eq!(kebab_case(ident), kebab);
        }
    }
}
