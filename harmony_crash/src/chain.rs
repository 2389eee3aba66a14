//! Killing one real site again and again on its way: each run goes on from where the one before was killed.
//!
//! For sites that take too long to be made anew for each point. What one run leaves is what the next one meets, so that kills add up; what
//! they must not leave is looked for after each, and everything is compared with an undisturbed site when the end is reached.

use std::collections::HashSet;
use std::time::Instant;

use crate::fault::{At, What};
use crate::matrix::{Command, Matrix, Next, Tried, Visit, try_once, try_twice};
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
        let mut next = 0;
        let mut kills = 0;
        while kills < enough && next < points.len() {
            let world = self.new_world();
            let made = match command {
                Command::Apply => Tried::default(),
                Command::Destroy => try_twice(&mut || drop(world.expect(Command::Apply.arguments(), 0))),
            };
            assert_eq!(made.failure, None, "the site that should be destroyed could not be made");
            let mut is_first = true;
            while let Some(point) = points.get(next).filter(|_| kills < enough) {
                let visit = kill(&world, command, point);
                let is_over = visit.met.is_none();
                // What goes side by side had passed it before an earlier kill: in the next life it is the first one.
                if is_over && !is_first && visit.failure.is_none() {
                    break;
                }
                (next, is_first) = (next + 1, false);
                kills += usize::from(!is_over);
                tell(&visit);
                if is_over {
                    break;
                }
            }
            tell(&self.end(&world, command, made.retried));
        }
    }

    /// The site's last runs, which nobody disturbs.
    fn end(&self, world: &World, command: Command, made: Option<String>) -> Visit {
        let begun = Instant::now();
        let next = if command == Command::Apply { Next::Apply } else { Next::Destroy };
        let Tried { failure, retried } = try_twice(&mut || self.expect_end(world, next));
        let row = format!("{} again, the end", command.name());
        Visit { row, at: THE_END.to_owned(), met: None, failure, retried: made.or(retried), took: begun.elapsed() }
    }
}

/// Kills the command at the point, if it comes there; otherwise it has to come to a good end.
fn kill(world: &World, command: Command, point: &PointName) -> Visit {
    let begun = Instant::now();
    let mut met = None;
    let Tried { failure, retried } = try_once(&mut || {
        let (ended, at) = world.run_disturbed(command.arguments(), At::Named(point.clone()), What::Die);
        let code = if at.is_some() { -1 } else { 0 };
        met = at;
        world.expect_code(command.name(), &ended, code);
        expect_nothing_twice(world);
    });
    let row = format!("{} again, {} {}", command.name(), point.moment.to_lowercase(), point.operation);
    Visit { row, at: point.to_string(), met, failure, retried, took: begun.elapsed() }
}

/// No configuration is served by two processes: one that was started and not recorded must be found again.
fn expect_nothing_twice(world: &World) {
    let processes = world.program().processes();
    let lines: HashSet<&String> = processes.iter().map(|(_, line)| line).collect();
    assert_eq!(lines.len(), processes.len(), "a server runs twice: {processes:?}");
    world.expect_foreign_untouched();
}
