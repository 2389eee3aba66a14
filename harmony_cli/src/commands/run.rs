//! `run`: procedures that Scores offer.

use harmony::engine::maestro::PreparedProcedure;
use harmony::procedure::Procedure;
use harmony::topology::Topology;
use harmony::{EngineError, Outcome};

use super::apply::{Question, consent, report_outcome, stop_words};
use super::look::{Ended, On};
use super::plan;
use crate::arguments::{AdoptArguments, RunArguments};
use crate::error::CommandError;
use crate::exit::Exit;
use crate::interrupt::Interrupts;
use crate::invocation::Session;
use crate::nearest::nearest;
use crate::report;

/// Carries a procedure out, or lists what there is.
pub(super) async fn run<T: Topology>(
    session: &Session,
    interrupts: &mut Interrupts,
    arguments: &RunArguments,
    on: On<'_, T>,
) -> Result<Ended, CommandError> {
    let (_, topology, scores) = on;
    let offered = scores.procedures();
    let maestro = session.maestro(topology.site());
    let Some(name) = &arguments.procedure else {
        let underway = maestro.underway().await?;
        session.text(&report::procedures(&offered, &underway, &session.layout));
        session.json(|| report::procedure_lines(&offered, &underway));
        return Ok(Ended::with(Exit::Done));
    };
    let procedure = choose(&offered, name, arguments.subject.as_deref())?;
    let maestro = maestro.with_allowances(plan::allowances(&arguments.losses.allow_loss, &AdoptArguments::default()));
    let preparing = maestro.prepare_procedure(on, procedure, arguments.overlap);
    let prepared = interrupts.unless(preparing).await.ok_or(CommandError::Interrupted)??;
    session.progress.end();
    session.text(&report::procedure(procedure, prepared.stands(), arguments.overlap, &session.layout));
    session.json(|| report::procedure_lines(std::slice::from_ref(procedure), prepared.stands()));
    if prepared.plan().is_pending() {
        plan::show(session, prepared.plan());
        if let Some(ended) = plan::refused(session, prepared.plan()) {
            return Ok(ended);
        }
    }
    let text = if prepared.stands().is_some() { "Go on with it?" } else { "Begin?" };
    consent(session, interrupts, Question { text, skip: arguments.yes }).await?;
    session.text("\n");
    let carried_out = watched(session, interrupts, prepared).await;
    session.progress.end();
    let ended = carried_out.map(|outcome| report_outcome(session, &outcome));
    let is_left = !ended.as_ref().is_ok_and(|ended| ended.exit == Exit::Done);
    if is_left && maestro.underway().await.is_ok_and(|underway| underway.iter().any(|underway| procedure.is(underway))) {
        let title = procedure.title();
        session.remark(&format!("what `{title}` has reached holds, also under `apply`; `run {title}` goes on from there"));
    }
    ended
}

/// The procedure of that name on that subject; the first parts of the subject may be left out where that is clear.
fn choose<'a>(offered: &'a [Procedure], name: &str, subject: Option<&str>) -> Result<&'a Procedure, CommandError> {
    let fits = |procedure: &&Procedure| {
        let whole = &procedure.subject;
        procedure.name == name
            && subject.is_none_or(|wanted| whole == wanted || whole.strip_suffix(wanted).is_some_and(|rest| rest.ends_with('/')))
    };
    let fitting: Vec<&Procedure> = offered.iter().filter(fits).collect();
    let wanted = subject.map_or_else(|| name.to_owned(), |subject| format!("{name} {subject}"));
    match fitting.as_slice() {
        [one] => Ok(one),
        [] => {
            let nearest = nearest(&wanted, offered.iter().flat_map(forms));
            Err(CommandError::UnknownProcedure { nearest, wanted, offered: offered.len() })
        }
        several => {
            let fitting = several.iter().map(|procedure| procedure.title()).collect();
            Err(CommandError::AmbiguousProcedure { wanted, fitting })
        }
    }
}

/// All ways to name a procedure, each with its whole title.
fn forms(procedure: &Procedure) -> impl Iterator<Item = (String, String)> {
    let subject = &procedure.subject;
    let behind_slashes = subject.match_indices('/').map(|(at, _)| &subject[at + 1..]);
    std::iter::once(subject.as_str()).chain(behind_slashes).map(|form| (format!("{} {form}", procedure.name), procedure.title()))
}

/// Carries it out. The first interrupt lets what is in flight finish, the second one leaves it.
async fn watched<T: Topology>(
    session: &Session,
    interrupts: &mut Interrupts,
    prepared: PreparedProcedure<'_, T>,
) -> Result<Outcome, CommandError> {
    let stopper = prepared.stopper();
    let carrying_out = prepared.carry_out();
    tokio::pin!(carrying_out);
    let mut stopping = false;
    loop {
        tokio::select! {
            outcome = &mut carrying_out => return outcome.map_err(|error: EngineError| error.into()),
            () = interrupts.next() => {
                if stopping {
                    return Err(CommandError::Aborted);
                }
                stopping = true;
                stopper.stop();
                session.remark(&stop_words(&session.progress.in_flight()));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offered() -> Vec<Procedure> {
        ["nats/HARMONY/agent", "nats/HARMONY/auditor", "other/HARMONY/agent"]
            .map(|subject| Procedure::new("rotate", subject, "does"))
            .to_vec()
    }

    #[test]
    fn the_first_parts_of_a_subject_may_be_left_out_where_that_is_clear() {
        let offered = offered();
        for wanted in ["nats/HARMONY/auditor", "HARMONY/auditor", "auditor"] {
            assert_eq!(choose(&offered, "rotate", Some(wanted)).unwrap().subject, "nats/HARMONY/auditor");
        }
        let error = choose(&offered, "rotate", Some("HARMONY/agent")).unwrap_err();
        assert_eq!(error.to_string(), "`rotate HARMONY/agent` may mean several procedures");
        assert_eq!(error.hint().unwrap(), "name one of them: `rotate nats/HARMONY/agent`, `rotate other/HARMONY/agent`");
        assert!(choose(&offered, "rotate", Some("itor")).is_err(), "only whole parts may be left out");
    }

    #[test]
    fn a_wrong_name_is_told_with_what_is_near() {
        let error = choose(&offered(), "rotate", Some("HARMONY/auditr")).unwrap_err();
        assert_eq!(error.to_string(), "no Score offers `rotate HARMONY/auditr`");
        let hint = error.hint().unwrap();
        assert!(hint.starts_with("did you mean `rotate nats/HARMONY/auditor`?"), "{hint}");
        let hint = choose(&[], "rotate", None).unwrap_err().hint().unwrap();
        assert_eq!(hint, "the Scores of this program offer no procedures");
    }
}
