//! What a command that only looks says of a run that changes something meanwhile.

use harmony::engine::exclusion::find_other_run;
use harmony::explain::chain;
use harmony::topology::Site;

use crate::invocation::Session;

/// Says who changes something now, if somebody does. Looking takes no lock, so what that run has not come to yet shows as a difference.
pub(super) async fn note_other_run(session: &Session, site: &Site) {
    match find_other_run(site).await {
        Ok(None) => {}
        Ok(Some(other)) => session.remark(&format!("{other}; what that run has not come to yet shows as a difference")),
        Err(error) => session.remark(&format!("whether another run goes on cannot be seen: {}", chain(&error))),
    }
}
