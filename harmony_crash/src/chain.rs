//! Killing one real site again and again on its way: each run goes on from where the one before was killed.
//!
//! For sites that take too long to be made anew for each point. What one run leaves is what the next one meets, so that kills add up; what
//! they must not leave is looked for after each, and everything is compared with an undisturbed site when the end is reached.

use std::collections::HashSet;
use std::time::Instant;

use crate::fault::{At, What};
use crate::matrix::{Command, Matrix, Next, Tried, Visit, failure_of, try_twice};
use crate::name::PointName;
use crate::world::World;

/// What is visited when a life of a site ends.
pub const THE_END: &str = "the end";

impl Matrix {
    /// Kills `command` at the `points` one after the other, in one life after the other of the site, until `enough` kills have happened
    /// or every point was sought.
    ///
    /// # Panics
    /// If a site cannot be made.
    pub fn chain(&self, command: Command, points: &[PointName], enough: usize, mut tell: impl FnMut(&Visit)) {
        let mut left = points.iter();
        let mut kills = 0;
        while kills < enough && left.len() > 0 {
            let world = self.new_world();
            let mut made = Tried::default();
            if command == Command::Destroy {
                made = try_twice(&mut || drop(world.expect(Command::Apply.arguments(), 0)));
                assert_eq!(made.failure, None, "the site that should be destroyed could not be made");
            }
            let mut is_over = false;
            while !is_over && kills < enough {
                let Some(point) = left.next() else { break };
                let begun = Instant::now();
                let mut met = None;
                let mut code = 0;
                let failure = failure_of(&mut || {
                    let (ended, at) = world.run_disturbed(command.arguments(), At::Named(point.clone()), What::Die);
                    (met, code) = (at, ended.code);
                    expect_nothing_twice(&world);
                });
                kills += usize::from(met.is_some());
                // What ended by itself had passed the point in an earlier run; the next life begins with the next point.
                is_over = met.is_none();
                let row = format!("{} again, {} {}", command.name(), point.moment.to_lowercase(), point.operation);
                tell(&Visit { row, at: point.to_string(), met, failure, retried: None, took: begun.elapsed() });
            }
            let begun = Instant::now();
            let next = if command == Command::Apply { Next::Apply } else { Next::Destroy };
            let Tried { failure, retried } = try_twice(&mut || self.expect_end(&world, next));
            let row = format!("{} again, the end", command.name());
            tell(&Visit {
                row,
                at: THE_END.to_owned(),
                met: None,
                failure,
                retried: made.retried.or(retried),
                took: begun.elapsed(),
            });
        }
    }
}

/// No configuration is served by two processes: one that was started and not recorded must be found again.
fn expect_nothing_twice(world: &World) {
    let processes = world.program().processes();
    let lines: HashSet<&String> = processes.iter().map(|(_, line)| line).collect();
    assert_eq!(lines.len(), processes.len(), "a server runs twice: {processes:?}");
    world.expect_foreign_untouched();
}
