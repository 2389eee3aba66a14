//! What a site program says, as data that can be edited, printed and made smaller.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use harmony::resource::Resource;
use harmony::stage::Stage;
use harmony::value::{Later, Reference, Text, Value};
use harmony::{ArrangeError, Scores, text};
use harmony_test::{
    FakeAccess, FakeNamespace, FakePlace, FakePort, FakeProof, FakeRoom, FakeSecret, FakeStore, FakeThing, score,
};
use serde_json::Value as Json;

/// How many things a program can say. Each can need those before it, so that no program has a circle.
pub(crate) const SLOTS: usize = 8;
const SCORES: usize = 3;
/// What rooms can be in.
const HOLDERS: &[Sort] = &[Sort::Thing, Sort::Store];
const EVERY: &[Sort] = &[Sort::Thing, Sort::Store, Sort::Secret, Sort::Room, Sort::Port, Sort::Namespace, Sort::Proof];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sort {
    Thing,
    Store,
    Secret,
    Room,
    Port,
    Namespace,
    Proof,
}

/// What a text says. The number of a reference chooses among the things before it of the sort that is meant; if there is none, it says
/// nothing.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Content {
    Plain(u8),
    UrlOf(usize),
    SecretOf(usize),
    NumberOf(usize),
}

/// One thing or proof. Sorts that do not have a field pass over it.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Said {
    pub(crate) sort: Sort,
    pub(crate) score: usize,
    pub(crate) content: Content,
    /// Changes in place; of a store, making it smaller loses what it holds.
    pub(crate) size: u8,
    /// Cannot be changed in place.
    pub(crate) hard: u8,
    /// Cannot be changed.
    pub(crate) nature: u8,
    /// Of a room: what it is in, and what opens that, chosen like a reference.
    pub(crate) way: (usize, usize),
    /// What it comes after, chosen like a reference.
    pub(crate) gates: Vec<usize>,
    pub(crate) takes_turns: bool,
    pub(crate) may_be_lost: bool,
}

/// A program. Names and addresses stay with a slot while it says nothing.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Program {
    pub(crate) slots: Vec<Option<Said>>,
    pub(crate) names: Vec<usize>,
    pub(crate) addresses: Vec<usize>,
}

/// What the world calls a thing.
pub(crate) type Key = (String, String);

impl Program {
    pub(crate) fn new(slots: Vec<Option<Said>>) -> Self {
        Self { slots, names: (0..SLOTS).collect(), addresses: (0..SLOTS).collect() }
    }

    /// What a slot says, if it says anything: a room needs something to be in, and something that opens it.
    pub(crate) fn said(&self, slot: usize) -> Option<&Said> {
        let said = self.slots.get(slot)?.as_ref()?;
        (said.sort != Sort::Room || self.way(slot, said).is_some()).then_some(said)
    }

    /// What a room is in, and what opens that.
    fn way(&self, slot: usize, said: &Said) -> Option<(usize, usize)> {
        Some((self.before(slot, said.way.0, HOLDERS)?, self.before(slot, said.way.1, &[Sort::Secret])?))
    }

    /// One of the slots before `slot` that say something of these sorts: number `choice`, counted round and round.
    fn before(&self, slot: usize, choice: usize, sorts: &[Sort]) -> Option<usize> {
        let fits = |other: &usize| self.said(*other).is_some_and(|said| sorts.contains(&said.sort));
        let found: Vec<usize> = (0..slot).filter(fits).collect();
        found.get(choice.checked_rem(found.len())?).copied()
    }

    fn gates(&self, slot: usize, said: &Said) -> BTreeSet<usize> {
        said.gates.iter().filter_map(|gate| self.before(slot, *gate, EVERY)).collect()
    }

    /// Every slot that says something.
    pub(crate) fn all(&self) -> impl DoubleEndedIterator<Item = usize> {
        (0..SLOTS).filter(|slot| self.said(*slot).is_some())
    }

    /// Those of them that are no proofs, with what the world calls them.
    pub(crate) fn things(&self) -> impl Iterator<Item = (usize, Key)> {
        self.all().filter_map(|slot| Some((slot, self.key(slot)?)))
    }

    pub(crate) fn name(&self, slot: usize) -> Option<String> {
        let said = self.said(slot)?;
        let number = self.names[slot];
        Some(match said.sort {
            Sort::Thing => format!("t{number}"),
            Sort::Store => format!("s{number}"),
            Sort::Secret => format!("k{number}"),
            Sort::Room => format!("{}.r{number}", self.name(self.way(slot, said)?.0)?),
            Sort::Port => format!("p{number}"),
            Sort::Namespace => format!("n{number}"),
            Sort::Proof => format!("proof{number}"),
        })
    }

    /// What the world calls the thing; a proof has no such name.
    pub(crate) fn key(&self, slot: usize) -> Option<Key> {
        let kind = match self.said(slot)?.sort {
            Sort::Thing => FakeThing::KIND,
            Sort::Store => FakeStore::KIND,
            Sort::Secret => FakeSecret::KIND,
            Sort::Room => FakeRoom::KIND,
            Sort::Port => FakePort::KIND,
            Sort::Namespace => FakeNamespace::KIND,
            Sort::Proof => return None,
        };
        Some((kind.to_owned(), self.name(slot)?))
    }

    pub(crate) fn address(&self, slot: usize) -> String {
        let number = self.addresses[slot];
        match self.said(slot) {
            Some(said) if said.sort != Sort::Namespace => format!("fake/s{}/a{number}", said.score),
            _ => format!("fake/a{number}"),
        }
    }

    /// What a slot needs, directly.
    pub(crate) fn needs(&self, slot: usize) -> BTreeSet<usize> {
        let Some(said) = self.said(slot) else { return BTreeSet::new() };
        let mut needs = self.gates(slot, said);
        needs.extend(self.shown(slot));
        needs
            .extend(self.way(slot, said).filter(|_| said.sort == Sort::Room).into_iter().flat_map(|(holder, key)| [holder, key]));
        needs
    }

    /// Everything that a slot needs, directly or through others.
    pub(crate) fn below(&self, slot: usize) -> BTreeSet<usize> {
        let mut below = BTreeSet::new();
        let mut queue = vec![slot];
        while let Some(at) = queue.pop() {
            queue.extend(self.needs(at).into_iter().filter(|need| below.insert(*need)));
        }
        below
    }

    /// The slot whose output the text of a slot shows.
    fn shown(&self, slot: usize) -> Option<usize> {
        let said = self.said(slot)?;
        if matches!(said.sort, Sort::Secret | Sort::Port | Sort::Namespace) {
            return None;
        }
        match said.content {
            Content::UrlOf(of) => self.before(slot, of, HOLDERS),
            Content::SecretOf(of) => self.before(slot, of, &[Sort::Secret]),
            Content::NumberOf(of) => self.before(slot, of, &[Sort::Port]),
            Content::Plain(_) => None,
        }
    }

    fn text(&self, slot: usize) -> Text {
        let Some(said) = self.said(slot) else { return "".into() };
        match (&said.content, self.shown(slot)) {
            (Content::UrlOf(_), Some(of)) => text!["at ", self.output(of, "url", false)],
            (Content::SecretOf(_), Some(of)) => text!["key ", self.output(of, "value", true)],
            (Content::NumberOf(_), Some(of)) => text!["number ", self.output(of, "number", false)],
            (Content::Plain(number), _) => format!("plain {number}").into(),
            _ => "nothing".into(),
        }
    }

    fn output(&self, of: usize, output: &str, sensitive: bool) -> Text {
        Value::Later(Later::Output(Reference { of: self.address(of).parse().unwrap(), output: output.to_owned(), sensitive }))
    }

    fn spec(&self, slot: usize, text: Text) -> Spec {
        let said = self.said(slot).unwrap();
        let name = self.name(slot).unwrap();
        match said.sort {
            Sort::Thing => Spec::Thing(FakeThing {
                name,
                text,
                size: said.size.into(),
                colour: format!("colour {}", said.hard),
                nature: format!("nature {}", said.nature),
            }),
            Sort::Store => Spec::Store(FakeStore { name, size: 10 + u64::from(said.size), engine: text }),
            Sort::Secret => Spec::Secret(FakeSecret { name, length: 8 + u64::from(said.hard) }),
            Sort::Room => {
                let (holder, room) = name.split_once('.').unwrap();
                Spec::Room(FakeRoom { holder: holder.to_owned(), name: room.to_owned(), note: text })
            }
            Sort::Port => Spec::Port(FakePort { name }),
            Sort::Namespace => Spec::Namespace(FakeNamespace { name }),
            Sort::Proof => Spec::Proof(FakeProof { name, about: text }),
        }
    }

    /// What there has to be when all is applied: `value` and `number` say what the secrets and ports in the world are.
    pub(crate) fn expected(&self, value: &dyn Fn(&str) -> String, number: &dyn Fn(&str) -> u64) -> BTreeMap<Key, Json> {
        let text = |slot: usize| -> Text {
            let said = self.said(slot).unwrap();
            match (&said.content, self.shown(slot).and_then(|of| self.name(of))) {
                (Content::UrlOf(_), Some(name)) => format!("at fake://{name}").into(),
                (Content::SecretOf(_), Some(name)) => format!("key {}", value(&name)).into(),
                (Content::NumberOf(_), Some(name)) => format!("number {}", number(&name)).into(),
                _ => self.text(slot),
            }
        };
        self.things().map(|(slot, key)| (key, self.spec(slot, text(slot)).state())).collect()
    }

    /// The text that a proof is about, by which it is another one.
    pub(crate) fn about(&self, slot: usize) -> String {
        format!("{:?}", self.text(slot))
    }

    /// The program's Scores; `backwards` says everything in the other order.
    pub(crate) fn scores(&self, backwards: bool) -> Scores<FakePlace> {
        let mut order: Vec<usize> = (0..SCORES).collect();
        if backwards {
            order.reverse();
        }
        order.into_iter().fold(Scores::default(), |scores, number| {
            let program = self.clone();
            scores.with(score(&format!("score {number}"), move |_, place, stage| {
                let mut slots: Vec<usize> = program.all().filter(|slot| program.speaks(number, *slot)).collect();
                if backwards {
                    slots.reverse();
                }
                slots.into_iter().try_for_each(|slot| program.say(slot, place, stage))
            }))
        })
    }

    /// Whether a Score says what is in a slot. What is shared can be said by two.
    fn speaks(&self, score: usize, slot: usize) -> bool {
        self.said(slot).is_some_and(|said| {
            said.score == score || (said.sort == Sort::Namespace && said.size % 2 == 1 && (said.score + 1) % SCORES == score)
        })
    }

    fn say(&self, slot: usize, place: &FakePlace, stage: &mut Stage<'_>) -> Result<(), ArrangeError> {
        let said = self.said(slot).unwrap();
        let gates: Vec<_> = self.gates(slot, said).into_iter().map(|gate| self.address(gate).parse().unwrap()).collect();
        stage.within(&format!("s{}", said.score), |stage| {
            stage.after(&gates, |stage| match (said.takes_turns, said.may_be_lost) {
                (false, false) => self.add(slot, place, stage),
                (true, false) => stage.one_at_a_time("group", |stage| self.add(slot, place, stage)),
                (false, true) => stage.allowing_loss(|stage| self.add(slot, place, stage)),
                (true, true) => stage.one_at_a_time("group", |stage| stage.allowing_loss(|stage| self.add(slot, place, stage))),
            })
        })
    }

    fn add(&self, slot: usize, place: &FakePlace, stage: &mut Stage<'_>) -> Result<(), ArrangeError> {
        let said = self.said(slot).unwrap();
        let name = format!("a{}", self.addresses[slot]);
        match self.spec(slot, self.text(slot)) {
            Spec::Thing(spec) => stage.add(place, &name, &spec).map(drop),
            Spec::Store(spec) => stage.add(place, &name, &spec).map(drop),
            Spec::Secret(spec) => stage.add(place, &name, &spec).map(drop),
            Spec::Port(spec) => stage.add(place, &name, &spec).map(drop),
            Spec::Namespace(spec) => stage.share(place, &name, &spec).map(drop),
            Spec::Proof(spec) => stage.prove(place, &name, &[], &spec).map(drop),
            Spec::Room(spec) => {
                let (holder, key) = self.way(slot, said).unwrap();
                let access = FakeAccess { url: self.output(holder, "url", false), password: self.output(key, "value", true) };
                stage.add_through(place, &access, &name, &spec).map(drop)
            }
        }
    }
}

enum Spec {
    Thing(FakeThing),
    Store(FakeStore),
    Secret(FakeSecret),
    Room(FakeRoom),
    Port(FakePort),
    Namespace(FakeNamespace),
    Proof(FakeProof),
}

impl Spec {
    fn state(&self) -> Json {
        let state = match self {
            Self::Thing(spec) => serde_json::to_value(spec),
            Self::Store(spec) => serde_json::to_value(spec),
            Self::Secret(spec) => serde_json::to_value(spec),
            Self::Room(spec) => serde_json::to_value(spec),
            Self::Port(spec) => serde_json::to_value(spec),
            Self::Namespace(spec) => serde_json::to_value(spec),
            Self::Proof(spec) => serde_json::to_value(spec),
        };
        state.unwrap()
    }
}

impl fmt::Debug for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Plain(number) => write!(f, "text {number}"),
            Self::UrlOf(slot) => write!(f, "the URL of {slot}"),
            Self::SecretOf(slot) => write!(f, "the secret of {slot}"),
            Self::NumberOf(slot) => write!(f, "the number of {slot}"),
        }
    }
}

impl fmt::Debug for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} of Score {}, {:?}", self.sort, self.score, self.content)?;
        write!(f, ", size {} hard {} nature {}", self.size, self.hard, self.nature)?;
        if self.sort == Sort::Room {
            write!(f, ", in {} opened by {}", self.way.0, self.way.1)?;
        }
        if !self.gates.is_empty() {
            write!(f, ", after {:?}", self.gates)?;
        }
        write!(f, "{}", if self.takes_turns { ", takes turns" } else { "" })?;
        write!(f, "{}", if self.may_be_lost { ", may be lost" } else { "" })
    }
}

impl fmt::Debug for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (slot, said) in self.slots.iter().enumerate() {
            if let Some(said) = said {
                writeln!(f, "  {slot}: {said:?}")?;
            }
        }
        Ok(())
    }
}
