//! Giving a user of static accounts a new credential, while clients go on working.
//!
//! A step says by which secrets servers know a user, and which one is handed out to clients; the state at rest knows nothing of it. Where
//! servers tell users apart by a key, old and new stand side by side; where they do so by a name, as with passwords, the new one has
//! a name of its own until the old one is gone.

use harmony_types::TimeSpan;

use super::score::Authentication;
use crate::procedure::{Procedure, Step};

/// The name of the procedure.
pub(super) const ROTATE: &str = "rotate";

/// How long old and new credential work side by side, if the user does not say: clients that read their credential again when they are
/// told to, or every few seconds, do so in this time.
const OVERLAP: TimeSpan = TimeSpan::seconds(30);

/// A secret by which servers may know a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Slot {
    /// The one under the user's own name in the secret store: what clients read.
    Own,
    /// What clients read before the new one was handed out.
    Previous,
    /// The new one.
    Next,
}

/// A step of a rotation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RotationStep {
    /// The new one is minted, and taken by every server beside the old one.
    Accept,
    /// Clients read the new one.
    HandOut,
    /// Servers refuse the old one.
    Withdraw,
    /// With passwords only: the new one is handed out under the user's own name.
    Rename,
    /// With passwords only: servers refuse the name of the new one.
    Settle,
    /// The state at rest: the old one and the copies are gone from the secret store.
    Clear,
}

/// What the servers know a user by, and what its clients are given, at a step.
pub(super) struct State {
    /// By which secret and under which name servers know the user.
    pub(super) accepted: &'static [(Slot, Login)],
    /// Under which name clients connect.
    pub(super) login: Login,
    /// Whether the user's own secret has become a copy of the new one.
    pub(super) is_handed_out: bool,
    /// What is proven to work, besides what clients are given.
    pub(super) works: Option<(Slot, Login)>,
    /// What is proven to be refused.
    pub(super) refused: Option<(Slot, Login)>,
}

/// Under which name a user with a password connects. A key needs none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Login {
    /// The user's own.
    Own,
    /// One that no Score can give to a user.
    Next,
}

/// Behind a user's name, the name of its new credential: no user can be called so.
pub(super) const NEXT_LOGIN: &str = ".next";

impl RotationStep {
    const ALL: [Self; 6] = [Self::Accept, Self::HandOut, Self::Withdraw, Self::Rename, Self::Settle, Self::Clear];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Accept => "accept-both",
            Self::HandOut => "hand-out",
            Self::Withdraw => "withdraw",
            Self::Rename => "hand-out-name",
            Self::Settle => "settle",
            Self::Clear => "clear",
        }
    }

    pub(super) fn find(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|step| step.name() == name)
    }

    /// What holds at the step; nothing of its own at the last one.
    pub(super) fn state(self, authentication: Authentication) -> Option<State> {
        use Slot::{Next, Own, Previous};
        let new = match authentication {
            Authentication::Nkey => Login::Own,
            Authentication::Password => Login::Next,
        };
        let both: &'static [(Slot, Login)] = match authentication {
            Authentication::Nkey => &[(Previous, Login::Own), (Next, Login::Own)],
            Authentication::Password => &[(Previous, Login::Own), (Next, Login::Next)],
        };
        let state = |accepted, login| State { accepted, login, is_handed_out: true, works: None, refused: None };
        Some(match (self, authentication) {
            (Self::Accept, _) => State { is_handed_out: false, works: Some((Next, new)), ..state(both, Login::Own) },
            (Self::HandOut, _) => state(both, new),
            (Self::Withdraw, Authentication::Nkey) => {
                State { refused: Some((Previous, Login::Own)), ..state(&[(Own, Login::Own)], Login::Own) }
            }
            (Self::Withdraw, Authentication::Password) => {
                let renamed: &[(Slot, Login)] = &[(Own, Login::Own), (Next, Login::Next)];
                let works = Some((Own, Login::Own));
                State { works, refused: Some((Previous, Login::Own)), ..state(renamed, Login::Next) }
            }
            (Self::Rename, _) => state(&[(Own, Login::Own), (Next, Login::Next)], Login::Own),
            (Self::Settle, _) => State { refused: Some((Next, Login::Next)), ..state(&[(Own, Login::Own)], Login::Own) },
            (Self::Clear, _) => return None,
        })
    }
}

/// What a rotation is done to, as its state is found by.
pub(super) fn subject(system: &str, account: &str, user: &str) -> String {
    format!("{system}/{account}/{user}")
}

/// The rotation of a user's credential.
pub(super) fn rotation(system: &str, account: &str, user: &str, authentication: Authentication) -> Procedure {
    let what = match authentication {
        Authentication::Nkey => "NKey",
        Authentication::Password => "password",
    };
    let does = format!("gives user {user} of account {account} a new {what}, and goes on serving those who read it again");
    let step = |step: RotationStep, changes: String, checks: String| Step::new(step.name(), changes, checks);
    let mut rotation = Procedure::new(ROTATE, subject(system, account, user), does)
        .with_step(step(
            RotationStep::Accept,
            format!("a new {what} is made, and every server of {system} takes it beside the old one, without a restart"),
            "the new one connects on every server and may do what the user may".to_owned(),
        ))
        .with_step(
            step(
                RotationStep::HandOut,
                format!("the secret store and the files of {user} hold the new one"),
                "what is handed out connects on every server".to_owned(),
            )
            .held_for(OVERLAP),
        )
        .with_step(step(
            RotationStep::Withdraw,
            "every server refuses the old one, and closes the connections that were made with it".to_owned(),
            "the old one is refused on every server, and nobody is connected with it".to_owned(),
        ));
    if authentication == Authentication::Password {
        rotation = rotation
            .with_step(
                step(
                    RotationStep::Rename,
                    format!("the new one is handed out under the name {user} again"),
                    "what is handed out connects on every server".to_owned(),
                )
                .held_for(OVERLAP),
            )
            .with_step(step(
                RotationStep::Settle,
                format!("every server refuses the name {user}{NEXT_LOGIN}"),
                "it is refused on every server, and nobody is connected with it".to_owned(),
            ));
    }
    rotation.with_step(step(RotationStep::Clear, "the old one is gone from the secret store".to_owned(), String::new()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_step_that_is_offered_has_a_state_and_the_last_one_is_at_rest() {
        for authentication in [Authentication::Nkey, Authentication::Password] {
            let rotation = rotation("nats", "HARMONY", "agent", authentication);
            let steps: Vec<RotationStep> = rotation.steps.iter().map(|step| RotationStep::find(&step.name).unwrap()).collect();
            let (last, others) = steps.split_last().unwrap();
            assert!(last.state(authentication).is_none());
            assert!(others.iter().all(|step| step.state(authentication).is_some()));
        }
    }

    #[test]
    fn what_clients_were_given_is_taken_by_the_next_step_too() {
        for authentication in [Authentication::Nkey, Authentication::Password] {
            let rotation = rotation("nats", "HARMONY", "agent", authentication);
            let steps: Vec<RotationStep> = rotation.steps.iter().map(|step| RotationStep::find(&step.name).unwrap()).collect();
            for pair in steps.windows(2) {
                let (Some(before), Some(after)) = (pair[0].state(authentication), pair[1].state(authentication)) else {
                    continue;
                };
                // What is handed out holds the new secret from the hand-out on, under whichever slot the servers know it.
                let holds_new = |slot: Slot, state: &State| slot == Slot::Next || (slot == Slot::Own && state.is_handed_out);
                let taken = after
                    .accepted
                    .iter()
                    .any(|(slot, login)| *login == before.login && holds_new(*slot, &after) == before.is_handed_out);
                assert!(taken, "{:?} {:?}", pair, authentication);
            }
        }
    }
}
