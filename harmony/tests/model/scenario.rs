//! What happens to a site, as data; and how it is made up at random.

use std::fmt;

use harmony_test::{Call, Failing};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use std::time::Duration;

use crate::program::{Content, Program, SLOTS, Said, Sort};

/// A program, and what happens after it was written.
#[derive(Clone)]
pub(crate) struct Scenario {
    pub(crate) program: Program,
    pub(crate) acts: Vec<Act>,
}

#[derive(Debug, Clone)]
pub(crate) enum Act {
    /// Somebody edits the program.
    Edit(Edit),
    /// The program becomes what it was before the last edit.
    Undo,
    /// Somebody else changes the world.
    Hand(Hand),
    /// Somebody else changes the world while somebody edits the program.
    Both(Hand, Edit),
    Plan,
    Status,
    Verify,
    Apply(Conditions),
    Destroy(Conditions),
    /// Everything is healed, every loss and adoption allowed: it has to converge.
    Converge,
}

#[derive(Debug, Clone)]
pub(crate) enum Edit {
    Say(usize, Said),
    Drop(usize),
    Content(usize, Content),
    Size(usize, u8),
    Hard(usize, u8),
    Nature(usize, u8),
    /// Another address.
    Readdress(usize),
    /// Another address for everything: the program is put in order.
    Reorganise,
    SwapAddresses(usize, usize),
    /// Another Score says it.
    Move(usize, usize),
    /// Another identity.
    Rename(usize),
    SwapNames(usize, usize),
    Gates(usize, Vec<usize>),
    /// The Score allows its loss, or does so no longer.
    MayBeLost(usize),
}

/// What others do. They speak of the things of the present program, or of the one before the last edit.
#[derive(Debug, Clone)]
pub(crate) enum Hand {
    /// Puts something into a store or a room.
    Fill(usize),
    /// Puts something into every store and every room.
    FillAll,
    Change(usize),
    Delete(usize),
    /// Deletes all things of the program.
    DeleteAll,
    /// Makes the thing before the program does.
    Create(usize),
    /// Makes all things of the program that are not there.
    CreateAll,
    /// Makes something that no program speaks of.
    Noise(u8),
    /// All that they do, to what the program said before.
    Earlier(Box<Hand>),
}

#[derive(Clone)]
pub(crate) struct Conditions {
    pub(crate) allowing: Allowing,
    pub(crate) faults: Vec<Fault>,
    pub(crate) stop: Stop,
    /// What others do between the plan and its being carried out.
    pub(crate) meanwhile: Vec<Hand>,
    pub(crate) goes_on_after_failure: bool,
    /// A twin of the site is played with one step at a time, Scores in the other order and things of others around.
    pub(crate) with_twin: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Allowing {
    Nothing,
    /// Losses and adoptions at the slots whose bits are set.
    These(u8),
    Everything,
}

#[derive(Debug, Clone)]
pub(crate) enum Fault {
    Call { call: Call, slot: usize, failing: Failing, times: usize },
    Proof(usize),
}

/// What becomes of the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stop {
    Never,
    /// The user asks to stop at this write.
    Asked(usize),
    /// It is killed just before this write.
    AtWrite(usize),
    /// It is killed at this point of its input and output.
    AtPoint(u64),
    /// One primitive fails.
    Hiccup(u64),
    /// From this point on no primitive succeeds.
    DiskGone(u64),
}

impl Conditions {
    pub(crate) fn converging() -> Self {
        Self {
            allowing: Allowing::Everything,
            faults: Vec::new(),
            stop: Stop::Never,
            meanwhile: Vec::new(),
            goes_on_after_failure: true,
            with_twin: false,
        }
    }

    pub(crate) fn is_undisturbed(&self) -> bool {
        self.faults.is_empty() && self.stop == Stop::Never && self.meanwhile.is_empty()
    }
}

impl fmt::Debug for Scenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the program says\n{:?}", self.program)?;
        self.acts.iter().enumerate().try_for_each(|(number, act)| writeln!(f, "{}. {act:?}", number + 1))
    }
}

impl fmt::Debug for Conditions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "allowing {:?}", self.allowing)?;
        self.faults.iter().try_for_each(|fault| write!(f, "; {fault:?}"))?;
        self.meanwhile.iter().try_for_each(|hand| write!(f, "; meanwhile {hand:?}"))?;
        if self.stop != Stop::Never {
            write!(f, "; {:?}", self.stop)?;
        }
        write!(f, "{}", if self.goes_on_after_failure { "" } else { "; stops after a failure" })?;
        write!(f, "{}", if self.with_twin { "; with a twin" } else { "" })
    }
}

pub(crate) fn scenario() -> impl Strategy<Value = Scenario> {
    let slots: Vec<_> = (0..SLOTS).map(|slot| prop_oneof![1 => Just(None), 4 => said(slot).prop_map(Some)]).collect();
    (slots.prop_map(Program::new), vec(act(), 1..20)).prop_map(|(program, acts)| Scenario { program, acts })
}

fn slot() -> impl Strategy<Value = usize> + Clone {
    0..SLOTS
}

fn content() -> impl Strategy<Value = Content> {
    prop_oneof![
        3 => (0_u8..3).prop_map(Content::Plain),
        3 => slot().prop_map(Content::UrlOf),
        2 => slot().prop_map(Content::SecretOf),
        1 => slot().prop_map(Content::NumberOf),
    ]
}

/// What a slot may say: what others need stands before them.
fn said(of: usize) -> impl Strategy<Value = Said> {
    let (thing, store, secret, rest) = match of {
        0 => (1, 1, 8, 1),
        1 | 2 => (6, 6, 2, 1),
        _ => (5, 4, 1, 4),
    };
    let sort = prop_oneof![
        thing => Just(Sort::Thing),
        store => Just(Sort::Store),
        secret => Just(Sort::Secret),
        2 * rest => Just(Sort::Room),
        rest => select(vec![Sort::Port, Sort::Namespace, Sort::Proof, Sort::Proof]),
    ];
    let fields = (0_u8..3, 0_u8..2, (slot(), slot()), vec(slot(), 0..3));
    let marks = (prop::bool::weighted(0.4), prop::bool::weighted(0.15));
    (sort, 0..3_usize, content(), fields, marks).prop_map(|(sort, score, content, (size, hard, way, gates), marks)| Said {
        sort,
        score,
        content,
        size,
        hard,
        nature: 0,
        way,
        gates,
        takes_turns: marks.0,
        may_be_lost: marks.1,
    })
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        10 => edit().prop_map(Act::Edit),
        2 => Just(Act::Undo),
        5 => hand().prop_map(Act::Hand),
        5 => (hand(), edit()).prop_map(|(hand, edit)| Act::Both(hand, edit)),
        1 => Just(Act::Plan),
        1 => Just(Act::Status),
        1 => Just(Act::Verify),
        14 => conditions().prop_map(Act::Apply),
        2 => conditions().prop_map(Act::Destroy),
        2 => Just(Act::Converge),
    ]
}

fn edit() -> impl Strategy<Value = Edit> {
    prop_oneof![
        3 => slot().prop_flat_map(|slot| said(slot).prop_map(move |said| Edit::Say(slot, said))),
        3 => slot().prop_map(Edit::Drop),
        6 => (slot(), content()).prop_map(|(slot, content)| Edit::Content(slot, content)),
        8 => (slot(), 0_u8..4).prop_map(|(slot, size)| Edit::Size(slot, size)),
        6 => (slot(), 0_u8..3).prop_map(|(slot, hard)| Edit::Hard(slot, hard)),
        1 => (slot(), 0_u8..2).prop_map(|(slot, nature)| Edit::Nature(slot, nature)),
        1 => slot().prop_map(Edit::Readdress),
        4 => Just(Edit::Reorganise),
        2 => (slot(), slot()).prop_map(|(one, two)| Edit::SwapAddresses(one, two)),
        1 => (slot(), 0..3_usize).prop_map(|(slot, score)| Edit::Move(slot, score)),
        3 => slot().prop_map(Edit::Rename),
        1 => (slot(), slot()).prop_map(|(one, two)| Edit::SwapNames(one, two)),
        2 => (slot(), vec(slot(), 0..3)).prop_map(|(slot, gates)| Edit::Gates(slot, gates)),
        1 => slot().prop_map(Edit::MayBeLost),
    ]
}

fn hand() -> impl Strategy<Value = Hand> {
    let plain = prop_oneof![
        4 => slot().prop_map(Hand::Fill),
        2 => Just(Hand::FillAll),
        3 => slot().prop_map(Hand::Change),
        3 => slot().prop_map(Hand::Delete),
        2 => Just(Hand::DeleteAll),
        4 => slot().prop_map(Hand::Create),
        3 => Just(Hand::CreateAll),
        1 => (0_u8..3).prop_map(Hand::Noise),
    ];
    (plain, prop::bool::weighted(0.2)).prop_map(|(hand, earlier)| if earlier { Hand::Earlier(Box::new(hand)) } else { hand })
}

fn conditions() -> impl Strategy<Value = Conditions> {
    let allowing = prop_oneof![
        4 => Just(Allowing::Nothing),
        2 => any::<u8>().prop_map(Allowing::These),
        4 => Just(Allowing::Everything),
    ];
    let stop = prop_oneof![
        10 => Just(Stop::Never),
        1 => (0_usize..6).prop_map(Stop::Asked),
        3 => (0_usize..8).prop_map(Stop::AtWrite),
        2 => (1_u64..90).prop_map(Stop::AtPoint),
        1 => (1_u64..90).prop_map(Stop::Hiccup),
        1 => (1_u64..90).prop_map(Stop::DiskGone),
    ];
    let faults = prop_oneof![3 => Just(Vec::new()), 2 => vec(fault(), 1..4)];
    let meanwhile = prop_oneof![4 => Just(Vec::new()), 1 => vec(hand(), 1..3)];
    (allowing, faults, stop, meanwhile, prop::bool::weighted(0.8), prop::bool::weighted(0.2)).prop_map(
        |(allowing, faults, stop, meanwhile, goes_on_after_failure, with_twin)| Conditions {
            allowing,
            faults,
            stop,
            meanwhile,
            goes_on_after_failure,
            with_twin,
        },
    )
}

fn fault() -> impl Strategy<Value = Fault> {
    let call = select(vec![Call::Apply, Call::Apply, Call::Delete, Call::Observe, Call::Preview]);
    let failing = select(vec![
        Failing::Refused,
        Failing::AnswerLost,
        Failing::KilledAfter,
        Failing::Conflict,
        Failing::Unreachable,
        Failing::RetryLater,
        Failing::RetryAfter(Duration::from_millis(300)),
        Failing::NotPermitted,
        Failing::Slow(Duration::from_millis(40)),
        Failing::Slow(Duration::from_millis(90)),
    ]);
    let times = prop_oneof![3 => Just(1_usize), 1 => Just(3), 1 => Just(usize::MAX)];
    prop_oneof![
        8 => (call, slot(), failing, times).prop_map(|(call, slot, failing, times)| Fault::Call { call, slot, failing, times }),
        1 => slot().prop_map(Fault::Proof),
    ]
}

impl Edit {
    /// Edits the program.
    pub(crate) fn carry_out(&self, program: &mut Program) {
        let bump = |number: usize| if number < SLOTS { number + SLOTS } else { number - SLOTS };
        match self {
            Self::Say(slot, said) => program.slots[*slot] = Some(said.clone()),
            Self::Drop(slot) => program.slots[*slot] = None,
            Self::Readdress(slot) => program.addresses[*slot] = bump(program.addresses[*slot]),
            Self::Reorganise => program.addresses.iter_mut().for_each(|address| *address = bump(*address)),
            Self::SwapAddresses(one, two) => program.addresses.swap(*one, *two),
            Self::Rename(slot) => program.names[*slot] = bump(program.names[*slot]),
            Self::SwapNames(one, two) => program.names.swap(*one, *two),
            Self::Content(slot, _)
            | Self::Size(slot, _)
            | Self::Hard(slot, _)
            | Self::Nature(slot, _)
            | Self::Move(slot, _)
            | Self::Gates(slot, _)
            | Self::MayBeLost(slot) => {
                if let Some(said) = &mut program.slots[*slot] {
                    self.change(said);
                }
            }
        }
    }

    fn change(&self, said: &mut Said) {
        match self {
            Self::Content(_, content) => said.content = content.clone(),
            Self::Size(_, size) => said.size = *size,
            Self::Hard(_, hard) => said.hard = *hard,
            Self::Nature(_, nature) => said.nature = *nature,
            Self::Move(_, score) => said.score = *score,
            Self::Gates(_, gates) => said.gates.clone_from(gates),
            Self::MayBeLost(_) => said.may_be_lost = !said.may_be_lost,
            _ => {}
        }
    }
}
