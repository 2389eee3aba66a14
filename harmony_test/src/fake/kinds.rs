//! Kinds of things that exist only in a [`World`](super::World).

use harmony::resource::{FieldChange, Handle, Impact, Loss, Resource, Shown};
use harmony::value::{Output, Text};
use serde::{Deserialize, Serialize};

/// A kind whose things exist only in memory.
pub trait FakeKind: Resource {
    /// What one offers; `number` is new for each that is made.
    fn outputs(&self, number: u64) -> Self::Outputs;

    /// The identity of the thing that it lives in, if it lives in one; an error's words if the way in is locked.
    ///
    /// # Errors
    /// Why nobody may enter.
    fn holder(_at: &Self::Access) -> Result<Option<String>, String> {
        Ok(None)
    }

    /// Whether what lives in one of this identity goes with it.
    fn holds_rooms() -> bool {
        false
    }
}

/// A plain thing: most fields change in place, its colour by replacement, its nature never. Rooms can be in it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FakeThing {
    /// Its name.
    pub name: String,
    /// A text that may be known later, or be a secret.
    pub text: Text,
    /// Changes in place.
    pub size: u64,
    /// Cannot be changed in place.
    pub colour: String,
    /// Cannot be changed.
    pub nature: String,
}

/// What a [`FakeThing`] offers.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ThingOutputs {
    /// Where it is reached.
    pub url: String,
}

impl FakeThing {
    /// Where it is reached: `fake://name`.
    pub const URL: Output<Self, String> = Output::public("url");

    /// One of size 1, red.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self { name: name.to_owned(), text: "".into(), size: 1, colour: "red".to_owned(), nature: "plain".to_owned() }
    }

    /// The same with a text.
    #[must_use]
    pub fn with_text(self, text: impl Into<Text>) -> Self {
        Self { text: text.into(), ..self }
    }

    /// The same with another size.
    #[must_use]
    pub fn with_size(self, size: u64) -> Self {
        Self { size, ..self }
    }

    /// The same in another colour.
    #[must_use]
    pub fn with_colour(self, colour: &str) -> Self {
        Self { colour: colour.to_owned(), ..self }
    }
}

impl Resource for FakeThing {
    const KIND: &'static str = "fake-thing/v1";
    const NOUN: &'static str = "thing";
    type Identity = String;
    type Access = ();
    type Outputs = ThingOutputs;

    fn identity(&self) -> String {
        self.name.clone()
    }

    fn impact(change: &FieldChange) -> Impact {
        match change.path.as_str() {
            "/colour" => Impact::Replace("paint does not stick to paint".to_owned()),
            "/nature" => Impact::Forbidden("nobody changes its nature".to_owned()),
            _ => Impact::Update,
        }
    }
}

impl FakeKind for FakeThing {
    fn outputs(&self, _: u64) -> ThingOutputs {
        ThingOutputs { url: format!("fake://{}", self.name) }
    }

    fn holds_rooms() -> bool {
        true
    }
}

/// A thing that holds what others write into it. Making it smaller loses that, another engine replaces it. Rooms can be in
/// it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FakeStore {
    /// Its name.
    pub name: String,
    /// How much it can hold.
    pub size: u64,
    /// What it is driven by.
    pub engine: Text,
}

impl FakeStore {
    /// Where it is reached: `fake://name`.
    pub const URL: Output<Self, String> = Output::public("url");

    /// One of size 10.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self { name: name.to_owned(), size: 10, engine: "steam".into() }
    }
}

impl Resource for FakeStore {
    const KIND: &'static str = "fake-store/v1";
    const NOUN: &'static str = "store";
    const LOSS: Loss = Loss::Data;
    type Identity = String;
    type Access = ();
    type Outputs = ThingOutputs;

    fn identity(&self) -> String {
        self.name.clone()
    }

    fn impact(change: &FieldChange) -> Impact {
        let number = |shown: &Shown| if let Shown::Value(value) = shown { value.as_u64() } else { None };
        match change.path.as_str() {
            "/engine" => Impact::Replace("an engine is built in".to_owned()),
            "/size" if number(&change.desired) < number(&change.live) => Impact::UpdateLosing,
            _ => Impact::Update,
        }
    }
}

impl FakeKind for FakeStore {
    fn outputs(&self, _: u64) -> ThingOutputs {
        ThingOutputs { url: format!("fake://{}", self.name) }
    }

    fn holds_rooms() -> bool {
        true
    }
}

/// A secret that is generated when it is made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FakeSecret {
    /// Its name.
    pub name: String,
    /// A secret cannot grow.
    pub length: u64,
}

/// What a [`FakeSecret`] offers.
#[derive(Clone, Serialize, Deserialize)]
pub struct SecretOutputs {
    /// The secret.
    pub value: String,
}

impl FakeSecret {
    /// The secret: `hush-` and a number that is new each time it is made.
    pub const VALUE: Output<Self, String> = Output::sensitive("value");

    /// One of length 8.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self { name: name.to_owned(), length: 8 }
    }
}

impl Resource for FakeSecret {
    const KIND: &'static str = "fake-secret/v1";
    const NOUN: &'static str = "secret";
    const LOSS: Loss = Loss::Secret;
    type Identity = String;
    type Access = ();
    type Outputs = SecretOutputs;

    fn identity(&self) -> String {
        self.name.clone()
    }

    fn impact(_: &FieldChange) -> Impact {
        Impact::Replace("a secret cannot grow".to_owned())
    }
}

impl FakeKind for FakeSecret {
    fn outputs(&self, number: u64) -> SecretOutputs {
        SecretOutputs { value: format!("hush-{number:04}") }
    }
}

/// A room in a [`FakeThing`] or a [`FakeStore`], which is reached by its URL and a password that begins with `hush`. It holds what others put into it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FakeRoom {
    /// The thing it is in.
    pub holder: String,
    /// Its name there.
    pub name: String,
    /// Changes in place.
    pub note: Text,
}

/// The way into a [`FakeThing`].
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct FakeAccess {
    /// Where the thing is.
    pub url: Text,
    /// What opens it.
    pub password: Text,
}

impl FakeAccess {
    /// The way into `thing` that `secret` opens.
    #[must_use]
    pub fn new(thing: &Handle<FakeThing>, secret: &Handle<FakeSecret>) -> Self {
        Self { url: thing.get(&FakeThing::URL), password: secret.get(&FakeSecret::VALUE) }
    }
}

impl FakeRoom {
    /// A room of the thing `holder`.
    #[must_use]
    pub fn new(holder: &str, name: &str) -> Self {
        Self { holder: holder.to_owned(), name: name.to_owned(), note: "".into() }
    }
}

impl Resource for FakeRoom {
    const KIND: &'static str = "fake-room/v1";
    const NOUN: &'static str = "room";
    const LOSS: Loss = Loss::Data;
    type Identity = String;
    type Access = FakeAccess;
    type Outputs = ();

    fn identity(&self) -> String {
        format!("{}.{}", self.holder, self.name)
    }
}

impl FakeKind for FakeRoom {
    fn outputs(&self, _: u64) {}

    fn holder(at: &FakeAccess) -> Result<Option<String>, String> {
        let unknown = |_| "the way in is not known".to_owned();
        let (url, password) = (at.url.get().map_err(unknown)?, at.password.get().map_err(unknown)?);
        if !password.starts_with("hush") {
            return Err("the password is wrong".to_owned());
        }
        Ok(url.strip_prefix("fake://").map(str::to_owned))
    }
}

/// A thing whose number is chosen when it is made, and which does not say it afterwards.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FakePort {
    /// Its name.
    pub name: String,
}

/// What a [`FakePort`] offers.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PortOutputs {
    /// The number; 0 if nobody remembers it.
    pub number: u64,
}

impl FakePort {
    /// The number that was chosen.
    pub const NUMBER: Output<Self, u64> = Output::public("number");
}

impl Resource for FakePort {
    const KIND: &'static str = "fake-port/v1";
    const NOUN: &'static str = "port";
    const KEEPS_OUTPUTS: bool = true;
    type Identity = String;
    type Access = ();
    type Outputs = PortOutputs;

    fn identity(&self) -> String {
        self.name.clone()
    }
}

impl FakeKind for FakePort {
    fn outputs(&self, number: u64) -> PortOutputs {
        PortOutputs { number: 4000 + number }
    }
}

/// A thing that other programs use too.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FakeNamespace {
    /// Its name.
    pub name: String,
}

impl Resource for FakeNamespace {
    const KIND: &'static str = "fake-namespace/v1";
    const NOUN: &'static str = "namespace";
    const SHARED: bool = true;
    type Identity = String;
    type Access = ();
    type Outputs = ();

    fn identity(&self) -> String {
        self.name.clone()
    }
}

impl FakeKind for FakeNamespace {
    fn outputs(&self, _: u64) {}
}

/// A garden that is seen from a [`FakeThing`] only, and is there also without it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FakeGarden {
    /// Its name.
    pub name: String,
}

impl Resource for FakeGarden {
    const KIND: &'static str = "fake-garden/v1";
    const NOUN: &'static str = "garden";
    const STANDS_ALONE: bool = true;
    type Identity = String;
    type Access = FakeAccess;
    type Outputs = ();

    fn identity(&self) -> String {
        self.name.clone()
    }
}

impl FakeKind for FakeGarden {
    fn outputs(&self, _: u64) {}

    fn holder(at: &FakeAccess) -> Result<Option<String>, String> {
        FakeRoom::holder(at)
    }
}
