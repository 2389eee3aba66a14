//! `forget`.

use harmony::engine::scope::Targets;
use harmony::topology::Site;

use super::look::Ended;
use super::plan;
use crate::arguments::ForgetArguments;
use crate::asking::{Answer, confirm};
use crate::error::CommandError;
use crate::exit::Exit;
use crate::invocation::Session;
use crate::report::Summary;

/// Strikes things from the Ledger, shown first. No place is looked at: one that is lost for good is the usual reason.
pub(crate) async fn forget(session: &Session, site: &Site, arguments: ForgetArguments) -> Result<Ended, CommandError> {
    let ForgetArguments { addresses, yes, home } = arguments;
    let maestro = session.maestro_at(site, home, &crate::arguments::TargetArguments::default());
    let forgetting = maestro.prepare_forget(&Targets::new(addresses)).await?;
    plan::show(session, forgetting.plan());
    if !yes {
        let question = "Forget these? They stay as they are, and are no longer this program's.";
        let asked = confirm(&session.console, question).await;
        match asked.map_err(|source| CommandError::Input { source })? {
            Answer::Yes => {}
            Answer::No => return Err(CommandError::Declined),
            Answer::Nobody => return Err(CommandError::NoConsent { flag: "--yes" }),
        }
    }
    let outcome = forgetting.carry_out().await?;
    session.text(&format!("\nDone: {} forgotten\n", outcome.counts.forget));
    Ok(Ended { exit: Exit::Done, summary: Summary::of_outcome(&outcome) })
}
