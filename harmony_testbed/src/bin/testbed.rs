//! `cargo xtask testbed`: real clusters to try things on, until they are taken down.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program for people")]

use std::error::Error;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, ErrorKind};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};
use std::{env, thread};

use harmony_io::{Io, ProcessId, Signal, StartTime};
use harmony_testbed::{Application, Cluster, Clusters, ControlPlane, Image, NodePrograms, Programs, TestbedError};
use serde::{Deserialize, Serialize};

const USAGE: &str = "usage: testbed build                   build its programs, if they are not there
       testbed up [--name NAME] [--level 1|2|3] [--clusters N] [--image IMAGE=PROGRAM]...
                                       start what stays until it is taken down: 1 a control plane, 2 a cluster whose
                                       pods run, 3 several of these (3, or N of at most 8); pods can run IMAGE, such as
                                       `harmony.test/nats-server:2`, which holds nothing but the static PROGRAM
       testbed down [--name NAME]      take it down without a trace; without a name all
       testbed status                  what is up";
/// The names of clusters, as many as are asked for.
const CLUSTERS: [&str; 8] = ["east", "north", "west", "south", "first", "second", "third", "fourth"];
/// How long all of it may take to end.
const GONE_LIMIT: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_millis(50);

/// What is up: written beside the programs by who holds it, who ends it when this file is gone.
#[derive(Debug, Serialize, Deserialize)]
struct Record {
    process: u32,
    started: u64,
    level: u8,
    kubeconfig: PathBuf,
}

/// What the arguments say.
struct Wanted {
    name: Option<String>,
    level: u8,
    clusters: usize,
    record: Option<PathBuf>,
    /// As they were given: `IMAGE=PROGRAM`.
    images: Vec<String>,
}

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let Some((command, rest)) = arguments.split_first() else { return usage() };
    let Some(wanted) = Wanted::read(rest) else { return usage() };
    let done = match command.as_str() {
        "build" => build(),
        "up" => up(&wanted),
        "down" => down(wanted.name.as_deref()),
        "status" => status(),
        "hold" => hold(&wanted),
        _ => return usage(),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tell(error.as_ref());
            ExitCode::FAILURE
        }
    }
}

fn usage() -> ExitCode {
    eprintln!("{USAGE}");
    ExitCode::from(2)
}

fn say(sentence: &str) {
    println!("{sentence}");
}

/// The error with its causes, and what to do about it.
fn tell(error: &(dyn Error + 'static)) {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(deeper) = cause {
        text = format!("{text}: {deeper}");
        cause = deeper.source();
    }
    eprintln!("error: {text}");
    if let Some(hint) = error.downcast_ref::<TestbedError>().and_then(TestbedError::hint) {
        eprintln!("hint: {hint}");
    }
}

impl Wanted {
    fn read(arguments: &[String]) -> Option<Self> {
        let mut wanted = Self { name: None, level: 1, clusters: 3, record: None, images: Vec::new() };
        for pair in arguments.chunks(2) {
            match pair {
                [option, name] if option == "--name" && is_name(name) => wanted.name = Some(name.clone()),
                [option, level] if option == "--level" => {
                    wanted.level = level.parse().ok().filter(|level| (1..=3).contains(level))?
                }
                [option, clusters] if option == "--clusters" => {
                    wanted.clusters = clusters.parse().ok().filter(|clusters| (1..=CLUSTERS.len()).contains(clusters))?;
                    wanted.level = 3;
                }
                [option, image] if option == "--image" && image.contains('=') => wanted.images.push(image.clone()),
                [option, record] if option == "--record" => wanted.record = Some(record.into()),
                _ => return None,
            }
        }
        Some(wanted)
    }

    fn load_images(&self, cluster: &mut Cluster) -> Result<(), TestbedError> {
        self.images.iter().try_for_each(|image| cluster.load_image(&read_image(image)))
    }
}

/// The image that `IMAGE=PROGRAM` means; it runs the program, which is called as the image is.
fn read_image(text: &str) -> Image {
    let (name, program) = text.split_once('=').unwrap_or((text, text));
    let called = name.rsplit('/').next().and_then(|last| last.split(':').next()).unwrap_or(name);
    let path = format!("/{called}");
    Image::new(name, &[&path]).with_program(&path, program)
}

/// It becomes the name of a file.
fn is_name(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|character| character.is_ascii_alphanumeric() || character == '-')
}

fn build() -> Result<(), Box<dyn Error>> {
    let (programs, node) = (Programs::ensure(&say)?, NodePrograms::ensure(&say)?);
    let application = Application::ensure(&say)?;
    for program in [programs.kubernetes, node.coredns, node.pod, application.program] {
        println!("{}", program.display());
    }
    Ok(())
}

fn up(wanted: &Wanted) -> Result<(), Box<dyn Error>> {
    let name = wanted.name.as_deref().unwrap_or("testbed");
    let programs = Programs::ensure(&say)?;
    let records = records_beside(&programs)?;
    let path = records.join(format!("{name}.json"));
    if let Some(record) = find_record(&path)?
        && record.is_alive()?
    {
        println!("`{name}` is up already\nexport KUBECONFIG={}", record.kubeconfig.display());
        return Ok(());
    }
    let log = records.join(format!("{name}.log"));
    let mut holder = Command::new(env::current_exe()?)
        .args(["hold", "--clusters", &wanted.clusters.to_string(), "--level", &wanted.level.to_string()])
        .arg("--record")
        .arg(&path)
        .args(wanted.images.iter().flat_map(|image| ["--image", image]))
        .process_group(0)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(File::create(&log)?)
        .spawn()?;
    let mut first = String::new();
    if let Some(output) = holder.stdout.take() {
        BufReader::new(output).read_line(&mut first)?;
    }
    if first.trim().is_empty() {
        holder.wait()?;
        return Err(fs::read_to_string(&log)?.trim().to_owned().into());
    }
    println!("`{name}` is up until `cargo xtask testbed down`\nexport KUBECONFIG={}", first.trim());
    Ok(())
}

fn down(name: Option<&str>) -> Result<(), Box<dyn Error>> {
    for (found, path, record) in all_records()? {
        if name.is_some_and(|name| name != found) {
            continue;
        }
        fs::remove_file(&path)?;
        let begun = Instant::now();
        while record.is_alive()? && begun.elapsed() < GONE_LIMIT {
            thread::sleep(PAUSE);
        }
        if Io::real().signal(ProcessId(record.process), StartTime(record.started), Signal::Kill)? {
            println!("`{found}` did not end in time: its holder was killed");
        }
        let log = path.with_extension("log");
        fs::remove_file(&log).or_else(|error| if error.kind() == ErrorKind::NotFound { Ok(()) } else { Err(error) })?;
        println!("`{found}` is down");
    }
    Ok(())
}

fn status() -> Result<(), Box<dyn Error>> {
    for (name, _, record) in all_records()? {
        let state = if record.is_alive()? { "up" } else { "gone without `down`" };
        println!(
            "{name}: {state}, level {}, process {}, KUBECONFIG={}",
            record.level,
            record.process,
            record.kubeconfig.display()
        );
    }
    Ok(())
}

/// Starts it, says where its kubeconfig is, and holds it until its record is gone; without a record until this process is killed.
fn hold(wanted: &Wanted) -> Result<(), Box<dyn Error>> {
    match wanted.level {
        1 => {
            let plane = ControlPlane::start()?;
            hold_with(wanted, &plane.kubeconfig())
        }
        2 => {
            let mut cluster = Cluster::start(CLUSTERS[0])?;
            wanted.load_images(&mut cluster)?;
            hold_with(wanted, &cluster.kubeconfig())
        }
        _ => {
            let mut clusters = Clusters::start(&CLUSTERS[..wanted.clusters])?;
            clusters.iter_mut().try_for_each(|cluster| wanted.load_images(cluster))?;
            hold_with(wanted, clusters.kubeconfig())
        }
    }
}

fn hold_with(wanted: &Wanted, kubeconfig: &Path) -> Result<(), Box<dyn Error>> {
    if let Some(path) = &wanted.record {
        let (process, started) = Io::real().own_process()?;
        let record = Record { process: process.0, started: started.0, level: wanted.level, kubeconfig: kubeconfig.to_owned() };
        fs::write(path, serde_json::to_string_pretty(&record)?)?;
    }
    println!("{}", kubeconfig.display());
    while wanted.record.as_ref().is_none_or(|record| record.exists()) {
        thread::sleep(PAUSE);
    }
    Ok(())
}

impl Record {
    fn is_alive(&self) -> Result<bool, Box<dyn Error>> {
        Ok(Io::real().find_process(ProcessId(self.process))? == Some(StartTime(self.started)))
    }
}

fn records_beside(programs: &Programs) -> Result<PathBuf, Box<dyn Error>> {
    let records = programs.kubernetes.with_file_name("up");
    fs::create_dir_all(&records)?;
    Ok(records)
}

/// Name, file and contents of every record.
type Records = Vec<(String, PathBuf, Record)>;

fn all_records() -> Result<Records, Box<dyn Error>> {
    let records = records_beside(&Programs::ensure(&say)?)?;
    let mut found = Vec::new();
    for entry in fs::read_dir(records)? {
        let path = entry?.path();
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        if path.extension().is_some_and(|extension| extension == "json")
            && let Some(record) = find_record(&path)?
        {
            found.push((name, path, record));
        }
    }
    found.sort_by(|one, other| one.0.cmp(&other.0));
    Ok(found)
}

fn find_record(path: &Path) -> Result<Option<Record>, Box<dyn Error>> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(serde_json::from_str(&text)?)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error.into()),
    }
}
