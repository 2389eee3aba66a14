//! `plan`.

use std::path::Path;

use harmony::EngineError;
use harmony::engine::plan::{Allowances, Plan};
use harmony::engine::saved::SavedPlan;
use harmony::topology::Topology;
use harmony_io::Io;

use super::look::{Ended, On};
use super::other_run::note_other_run;
use crate::arguments::{AdoptArguments, PlanArguments};
use crate::error::CommandError;
use crate::exit::Exit;
use crate::invocation::Session;
use crate::nearest::nearest;
use crate::report::{self, Summary};

/// Shows what would change. A plan that `apply` would refuse ends as `apply` would.
pub(super) async fn plan<T: Topology>(
    session: &Session,
    arguments: &PlanArguments,
    (inventory, topology, scores): On<'_, T>,
) -> Result<Ended, CommandError> {
    note_other_run(session, topology.site()).await;
    let allowances = allowances(&arguments.losses.allow_loss, &arguments.adoptions);
    let maestro = session.maestro_at(topology.site(), arguments.home, &arguments.targets).with_allowances(allowances);
    let saved = match &arguments.out {
        Some(path) => Some((path, maestro.plan_to_save(inventory, topology, scores).await?)),
        None => None,
    };
    let plan = match &saved {
        Some((_, saved)) => saved.plan.clone(),
        None => maestro.plan(inventory, topology, scores).await?,
    };
    session.progress.end();
    note_idle_flags(session, &plan, &arguments.losses.allow_loss, &arguments.adoptions.adopt);
    let ended = shown(session, &plan);
    match &saved {
        Some(_) if ended.exit == Exit::Refused => session.remark("nothing was saved, because this plan would be refused"),
        Some((path, saved)) => {
            saved.save(&topology.site().io, path).map_err(EngineError::from)?;
            let (program, file) = (&session.program, path.display());
            session.remark(&format!("saved; `{program} apply {file}` carries out exactly this"));
        }
        None => {}
    }
    let exit = if arguments.exit_code && ended.exit == Exit::Done && plan.is_pending() { Exit::Pending } else { ended.exit };
    Ok(Ended { exit, ..ended })
}

/// Shows a saved plan as it was shown when it was made. Neither the place nor the program's own state is looked at.
pub(crate) fn show_saved(session: &Session, io: &Io, path: &Path) -> Result<Ended, CommandError> {
    let saved = SavedPlan::load(io, path).map_err(EngineError::from)?;
    Ok(shown(session, &saved.plan))
}

/// Shows the plan, and ends as `apply` would if it holds a refusal.
fn shown(session: &Session, plan: &Plan) -> Ended {
    show(session, plan);
    refused(session, plan).unwrap_or_else(|| Ended { exit: told_silence(session, plan), summary: Summary::of_plan(plan) })
}

/// Shows the plan in the form that is wanted.
pub(super) fn show(session: &Session, plan: &Plan) {
    session.text(&report::plan(plan, &session.layout));
    session.json(|| report::planned_changes(plan.pending()) + &report::left_line(plan));
    session.json(|| report::silence_lines(&plan.silent, &plan.waiting));
}

/// Says which places do not answer: who asked for a plan of everything has not got one then.
pub(super) fn told_silence(session: &Session, plan: &Plan) -> Exit {
    session.console.message(report::silences(&plan.silent, &[], &session.messages).as_bytes());
    if plan.silent.is_empty() { Exit::Done } else { Exit::Failed }
}

/// Ends the command if the plan holds a refusal, which it has already shown with its reason.
pub(super) fn refused(session: &Session, plan: &Plan) -> Option<Ended> {
    let count = plan.refusals().count();
    if count == 0 {
        return None;
    }
    session.console.message(report::refusals(plan, &session.sources(), &session.messages).as_bytes());
    let summary = Summary { outcome: Exit::Refused.outcome(), ..Summary::of_plan(plan) };
    Some(Ended { exit: Exit::Refused, summary })
}

/// What the flags allow.
pub(super) fn allowances(losses: &[String], adoptions: &AdoptArguments) -> Allowances {
    let AdoptArguments { adopt, adopt_all } = adoptions;
    Allowances { losses: losses.iter().cloned().collect(), adoptions: adopt.iter().cloned().collect(), adopts_all: *adopt_all }
}

/// Says which flags name something that the plan does not know: most often a typing error.
pub(super) fn note_idle_flags(session: &Session, plan: &Plan, losses: &[String], adoptions: &[String]) {
    let knows = |address: &String| plan.steps.iter().any(|step| step.address.as_str() == address);
    let below = |address: &String| plan.steps.iter().any(|step| step.address.as_str().starts_with(&format!("{address}/")));
    let idle = |flag: &str, addresses: &[String]| {
        let means_something = |address: &String| knows(address) || (flag == "--adopt" && below(address));
        for address in addresses.iter().filter(|address| !means_something(address)) {
            session.remark(&format!("`{flag} {address}` names nothing in the plan{}", did_you_mean(address, plan)));
        }
    };
    idle("--allow-loss", losses);
    idle("--adopt", adoptions);
}

/// The addresses of the plan that may have been meant: a word of advice, or nothing.
fn did_you_mean(written: &str, plan: &Plan) -> String {
    let forms = plan.steps.iter().flat_map(|step| {
        let whole = step.address.as_str();
        let parts = whole.match_indices('/').map(|(at, _)| &whole[at + 1..]);
        [whole].into_iter().chain(parts).map(|form| (form.to_owned(), whole.to_owned()))
    });
    let near: Vec<String> = nearest(written, forms).iter().map(|address| format!("`{address}`")).collect();
    if near.is_empty() { String::new() } else { format!("; did you mean {}?", near.join(" or ")) }
}
