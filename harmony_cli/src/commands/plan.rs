//! `plan`.

use harmony::engine::plan::{Allowances, Plan};
use harmony::topology::Topology;

use super::look::{Ended, On};
use crate::arguments::PlanArguments;
use crate::error::CommandError;
use crate::exit::Exit;
use crate::invocation::Session;
use crate::report::{self, Summary};

/// Shows what would change. A plan that `apply` would refuse ends as `apply` would.
pub(super) async fn plan<T: Topology>(
    session: &Session,
    arguments: &PlanArguments,
    (inventory, topology, scores): On<'_, T>,
) -> Result<Ended, CommandError> {
    let allowances = allowances(&arguments.losses.allow_loss, &arguments.adopt);
    let maestro = session.maestro_at(topology.site(), arguments.home).with_allowances(allowances);
    let plan = maestro.plan(inventory, topology, scores).await?;
    session.progress.end();
    show(session, &plan);
    note_idle_flags(session, &plan, &arguments.losses.allow_loss, &arguments.adopt);
    let summary = Summary::of_plan(&plan);
    if let Some(ended) = refused(session, &plan) {
        return Ok(ended);
    }
    let exit = if arguments.exit_code && plan.is_pending() { Exit::Pending } else { Exit::Done };
    Ok(Ended { exit, summary })
}

/// Shows the plan in the form that is wanted.
pub(super) fn show(session: &Session, plan: &Plan) {
    session.text(&report::plan(plan, &session.layout));
    session.json(|| report::planned_changes(plan.steps.iter().filter(|step| step.change.is_pending())));
}

/// Ends the command if the plan holds a refusal, which it has already shown with its reason.
pub(super) fn refused(session: &Session, plan: &Plan) -> Option<Ended> {
    let count = plan.refusals().count();
    if count == 0 {
        return None;
    }
    session.console.message(report::refusals(plan, &session.messages).as_bytes());
    let summary = Summary { outcome: Exit::Refused.outcome(), ..Summary::of_plan(plan) };
    Some(Ended { exit: Exit::Refused, summary })
}

/// What the flags allow.
pub(super) fn allowances(losses: &[String], adoptions: &[String]) -> Allowances {
    Allowances { losses: losses.iter().cloned().collect(), adoptions: adoptions.iter().cloned().collect() }
}

/// Says which flags name something that the plan does not know: most often a typing error.
pub(super) fn note_idle_flags(session: &Session, plan: &Plan, losses: &[String], adoptions: &[String]) {
    let knows = |address: &String| plan.steps.iter().any(|step| step.address.as_str() == address);
    let idle = |flag: &str, addresses: &[String]| {
        for address in addresses.iter().filter(|address| !knows(address)) {
            session.remark(&format!("`{flag} {address}` names nothing in the plan"));
        }
    };
    idle("--allow-loss", losses);
    idle("--adopt", adoptions);
}
