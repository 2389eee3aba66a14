//! Secrets from the command line.

use harmony_cli::Exit;

use crate::program::Program;

#[tokio::test]
async fn a_secret_is_kept_shown_only_on_request_and_removed() {
    let mut program = Program::new();
    program.input = "hunter2\n".to_owned();
    let kept = program.run("secrets set registry/password", &[]).await;
    assert_eq!(kept.exit, Exit::Done);
    assert!(kept.messages.contains("Kept `registry/password`.") && kept.messages.contains("made the identity"));
    assert_eq!(program.run("secrets list", &[]).await.output, "registry/password\n");
    assert_eq!(program.run("secrets get registry/password", &[]).await.output, "registry/password: (sensitive)\n");
    assert_eq!(program.run("secrets get registry/password --reveal", &[]).await.output, "hunter2\n");
    assert_eq!(program.run("secrets list --json", &[]).await.events()[0]["name"], "registry/password");
    assert_eq!(program.run("secrets seal", &[]).await.exit, Exit::Done);
    assert_eq!(program.run("secrets remove registry/password", &[]).await.exit, Exit::Done);
    let missing = program.run("secrets get registry/password", &[]).await;
    assert_eq!((missing.exit, missing.output.as_str()), (Exit::Failed, ""));
    assert!(missing.messages.contains("HARMONY_SECRET_REGISTRY_PASSWORD"), "{}", missing.messages);
    let said = [kept.output, kept.messages, missing.messages].concat();
    assert!(!said.contains("hunter2"));
}

#[tokio::test]
async fn a_variable_goes_before_the_file_and_is_not_hidden_by_it() {
    let mut program = Program::new();
    program.variables.insert("HARMONY_SECRET_TOKEN".to_owned(), "from outside".to_owned());
    assert_eq!(program.run("secrets get token --reveal", &[]).await.output, "from outside\n");
    program.input = "other".to_owned();
    let said = program.run("secrets set token", &[]).await;
    assert_eq!(said.exit, Exit::Failed);
    assert!(said.messages.contains("hides whatever is written"), "{}", said.messages);
}

#[tokio::test]
async fn names_and_values_that_cannot_be_are_refused() {
    let program = Program::new();
    assert_eq!(program.run("secrets set ../escape", &[]).await.exit, Exit::WrongUsage);
    let empty = program.run("secrets set name --json", &[]).await;
    assert_eq!((empty.exit, &empty.summary()["outcome"]), (Exit::Failed, &"failed".into()));
}
