//! Scripts for shells.

use std::process::Command;

use harmony_cli::Exit;

use crate::program::Program;

#[tokio::test]
async fn every_shell_gets_a_script_for_the_programs_own_name() {
    let program = Program::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let said = program.run(&format!("completions {shell}"), &[]).await;
        assert_eq!((said.exit, said.messages.as_str()), (Exit::Done, ""));
        assert!(said.output.contains("site") && said.output.contains("drift"), "{shell}: {}", said.output);
    }
    let said = program.run("completions bash --json", &[]).await;
    assert!(said.events()[0]["script"].as_str().unwrap().contains("complete -F _site"));
    assert_eq!(program.run("completions cmd", &[]).await.exit, Exit::WrongUsage);
    assert_eq!(std::fs::read_dir(program.state.path()).unwrap().count(), 0);
}

#[tokio::test]
async fn bash_completes_with_it() {
    let script = Program::new().run("completions bash", &[]).await.output;
    let complete = |words: &str| {
        let all: Vec<&str> = words.split(' ').collect();
        let (last, before) = (all[all.len() - 1], all[all.len() - 2]);
        let at = all.len() - 1;
        let ask =
            format!("{script}\nCOMP_WORDS=({words}); COMP_CWORD={at}; _site site {last} {before}; echo \"${{COMPREPLY[*]}}\"");
        Command::new("bash").args(["--norc", "-c", &ask]).output()
    };
    let Ok(output) = complete("site dr") else {
        harmony_test::not_run("bash_completes_with_it", "there is no bash");
        return;
    };
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), "drift", "{}", String::from_utf8_lossy(&output.stderr));
    let formats = complete("site graph --format ''").unwrap();
    assert_eq!(String::from_utf8_lossy(&formats.stdout).trim(), "mermaid dot svg");
}
