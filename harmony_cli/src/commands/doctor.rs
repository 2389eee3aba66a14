//! `doctor`: what this program needs on this machine, looked at one by one, without changing anything.

use std::path::Path;
use std::time::{Duration, SystemTime};

use harmony::engine::exclusion::{find_held, find_other_run, find_taken};
use harmony::engine::ledger::Ledger;
use harmony::topology::{Check, Site, Survey, Verdict};
use harmony_io::Io;

use super::look::Ended;
use crate::console::Tty;
use crate::exit::Exit;
use crate::invocation::Session;
use crate::paint::Paint;
use crate::report::{self, Summary};

/// Looks at everything, says how it stands, and fails if something is wrong.
pub(crate) async fn doctor<P: Survey>(session: &Session, site: &Site, place: &P) -> Ended {
    let mut checks = vec![state_directory(site)];
    checks.push(lock(site));
    checks.extend(lease(site).await);
    checks.push(ledger(site).await);
    checks.extend(journal(site).await);
    checks.push(leftovers(site));
    checks.push(secrets(site).await);
    checks.extend(place.examine(site).await);
    checks.extend([open_files(&site.io), clock(SystemTime::now()), terminal(session)]);
    session.progress.end();
    session.text(&report::checks(&checks, &session.layout));
    session.json(|| report::check_lines(&checks));
    let is_wrong = checks.iter().any(|check| check.verdict == Verdict::Wrong);
    let exit = if is_wrong { Exit::Failed } else { Exit::Done };
    Ended { exit, summary: Summary::of(exit.outcome()) }
}

/// Less than this is used up by the logs and the streams of a few servers.
const LEAST_FREE: u64 = 256 * 1024 * 1024;

fn state_directory(site: &Site) -> Check {
    const ABOUT: &str = "state directory";
    let path = site.state.display();
    let status = match site.io.find_status(&site.state) {
        Ok(Some(status)) => status,
        Ok(None) => return above_state(site),
        Err(error) => return Check::failed(ABOUT, harmony::explain::chain(&error), error.hint().map(str::to_owned)),
    };
    if !status.is_directory {
        return Check::wrong(
            ABOUT,
            format!("`{path}` is not a directory"),
            "remove it, or set HARMONY_STATE_DIR to another place",
        );
    }
    if !status.is_own {
        let found = format!("`{path}` belongs to user {}, so its secrets and its Ledger are not this user's", status.owner);
        return Check::wrong(ABOUT, found, "run the program as that user, or set HARMONY_STATE_DIR to a place of your own");
    }
    if !status.is_writable {
        return Check::wrong(
            ABOUT,
            format!("`{path}` cannot be written"),
            format!("`chmod 700 '{path}'`, or make its file system writable"),
        );
    }
    if status.permissions & 0o077 != 0 {
        let found = format!("others can look into `{path}` (mode {:04o})", status.permissions);
        return Check::doubtful(ABOUT, found, format!("`chmod 700 '{path}'`"));
    }
    let free = format!("{:.1} GiB free", bytes_as_gib(status.free));
    if status.free < LEAST_FREE {
        return Check::doubtful(
            ABOUT,
            format!("its file system is almost full: {free}"),
            "free some space, or set HARMONY_STATE_DIR to another place",
        );
    }
    Check::good(ABOUT, format!("`{path}` is yours alone, {free}"))
}

/// A directory that is not there yet is made by the first run, if the nearest one above it lets it.
fn above_state(site: &Site) -> Check {
    const ABOUT: &str = "state directory";
    let above =
        site.state.ancestors().skip(1).find_map(|path| site.io.find_status(path).ok().flatten().map(|status| (path, status)));
    match above {
        Some((path, status)) if !status.is_writable => Check::wrong(
            ABOUT,
            format!("`{}` is not there, and cannot be made in `{}`", site.state.display(), path.display()),
            "set HARMONY_STATE_DIR to a place that you can write",
        ),
        _ => Check::good(ABOUT, format!("`{}` is not there yet: the first run makes it", site.state.display())),
    }
}

fn lock(site: &Site) -> Check {
    const ABOUT: &str = "lock";
    match find_taken(site) {
        Ok(None) => Check::good(ABOUT, "free"),
        Ok(Some(taken)) if taken.stopped.is_some() => {
            Check::wrong(ABOUT, format!("held by {taken}, and keeps every other run out"), taken.hint())
        }
        Ok(Some(taken)) => {
            Check::doubtful(ABOUT, format!("held by {taken}"), "wait for it to end: another run would be refused now")
        }
        Err(error) => Check::failed(ABOUT, harmony::explain::chain(&error), error.hint().map(str::to_owned)),
    }
}

/// Who keeps the runs of other machines out, where state is shared.
async fn lease(site: &Site) -> Option<Check> {
    const ABOUT: &str = "lease";
    site.lease.as_ref()?;
    Some(match find_held(site).await {
        Ok(None) => Check::good(ABOUT, "free"),
        Ok(Some(held)) => Check::doubtful(ABOUT, held.to_string(), "wait for it to end: another run would be refused now"),
        Err(error) => Check::failed(ABOUT, harmony::explain::chain(&error), error.hint()),
    })
}

async fn ledger(site: &Site) -> Check {
    const ABOUT: &str = "Ledger";
    match Ledger::of(site).await {
        Ok(ledger) => match (ledger.count(), ledger.serial()) {
            (0, 0) => Check::good(ABOUT, "empty: nothing has been made yet"),
            (count, serial) => Check::good(ABOUT, format!("readable: {}, run {serial}", report::counted(count, "thing"))),
        },
        Err(error) => Check::failed(ABOUT, harmony::explain::chain(&error), error.hint()),
    }
}

/// A journal stays where a run was killed. While a run goes on, it is that run's.
async fn journal(site: &Site) -> Option<Check> {
    let is_there = site.ledger_store().find().await.is_ok_and(|stored| stored.state.has_lines);
    let is_locked = find_other_run(site).await.ok().flatten().is_some();
    (is_there && !is_locked).then(|| {
        Check::doubtful(
            "journal",
            "a run was killed before its end, and what it did is written down",
            "run `apply`, which goes on from there",
        )
    })
}

fn leftovers(site: &Site) -> Check {
    const ABOUT: &str = "unfinished files";
    match site.io.list_abandoned(&site.state) {
        Ok(left) if left.is_empty() => Check::good(ABOUT, "none"),
        Ok(left) => Check::doubtful(
            ABOUT,
            format!(
                "a process was killed while it wrote; it left {}, the first being `{}`",
                report::counted(left.len(), "file"),
                left[0].path.display()
            ),
            "they are read by nobody and can be removed",
        ),
        Err(error) => Check::failed(ABOUT, harmony::explain::chain(&error), error.hint().map(str::to_owned)),
    }
}

async fn secrets(site: &Site) -> Check {
    const ABOUT: &str = "secrets";
    match site.secrets.names().await {
        Ok(names) if names.is_empty() => Check::good(ABOUT, "none are kept yet"),
        Ok(names) => Check::good(ABOUT, format!("{} can be read", report::counted(names.len(), "secret"))),
        Err(error) => Check::failed(ABOUT, harmony::explain::chain(&error), error.hint()),
    }
}

/// A run keeps a few files open for each server it talks to.
const LEAST_OPEN_FILES: u64 = 1024;

fn open_files(io: &Io) -> Check {
    const ABOUT: &str = "open files";
    let limits = io.find_start_of_file(Path::new("/proc/self/limits"), 4096).ok().flatten().unwrap_or_default();
    match limit_of_open_files(&String::from_utf8_lossy(&limits)) {
        Some(limit) if limit < LEAST_OPEN_FILES => Check::doubtful(
            ABOUT,
            format!("{limit} at once; servers are started with the same limit, and refuse clients beyond it"),
            "raise it with `ulimit -n 4096`",
        ),
        Some(limit) => Check::good(ABOUT, format!("{limit} at once")),
        None => Check::good(ABOUT, "no limit"),
    }
}

/// The soft limit in the kernel's table (proc_pid_limits(5)); nothing if there is none.
fn limit_of_open_files(limits: &str) -> Option<u64> {
    limits.lines().find_map(|line| line.strip_prefix("Max open files"))?.split_whitespace().next()?.parse().ok()
}

/// 2026-01-01: before this was built. A certificate made under such a clock is valid for nobody.
const NOT_BEFORE: Duration = Duration::from_secs(1_767_225_600);

fn clock(now: SystemTime) -> Check {
    const ABOUT: &str = "clock";
    match now.duration_since(SystemTime::UNIX_EPOCH) {
        Ok(since) if since >= NOT_BEFORE => Check::good(ABOUT, "after the day this was built"),
        _ => Check::wrong(
            ABOUT,
            "it stands before the day this was built, and certificates made under it would be valid for nobody",
            "set the clock of this machine",
        ),
    }
}

fn terminal(session: &Session) -> Check {
    let tty = |tty| if tty == Tty::Terminal { "a terminal" } else { "no terminal" };
    let color = if session.messages.paint == Paint::Colored { "with colour" } else { "without colour" };
    let asks = match (session.console.input_tty, session.console.messages_tty) {
        (Tty::Terminal, Tty::Terminal) => "`apply` asks before it changes something",
        _ => "`apply` asks nobody, so it needs `--yes`",
    };
    let (output, messages) = (tty(session.console.output_tty), tty(session.console.messages_tty));
    Check::good(
        "terminal",
        format!("output to {output}, messages to {messages}, {color}, {} columns; {asks}", session.messages.width),
    )
}

fn bytes_as_gib(bytes: u64) -> f64 {
    let mib = u32::try_from(bytes / (1024 * 1024)).unwrap_or(u32::MAX);
    f64::from(mib) / 1024.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_of_open_files_is_the_soft_one() {
        let limits = "Limit                     Soft Limit           Hard Limit           Units     \n\
                      Max open files            1024                 524288               files     \n";
        assert_eq!(limit_of_open_files(limits), Some(1024));
        assert_eq!(limit_of_open_files(&limits.replace("1024 ", "unlimited ")), None);
    }

    #[test]
    fn a_clock_that_lost_its_battery_is_wrong() {
        assert_eq!(clock(SystemTime::UNIX_EPOCH + Duration::from_secs(86_400)).verdict, Verdict::Wrong);
        assert_eq!(clock(SystemTime::now()).verdict, Verdict::Good);
    }
}
