//! The child's side of the wall: gives up what it does not need, then answers one call after another until its parent
//! has no more. Nothing of a call is left when the next begins, since each has an engine of its own.

use std::{
    io::{self, Read, Write},
    panic,
    process::ExitCode,
};

use crate::{
    config::Limits,
    confine, engine,
    frame::{self, Answer, Question},
};

/// What the child is told.
#[derive(Debug, Clone, clap::Args)]
pub struct FunctionsCommand {
    /// The most memory that a call may take, in MiB.
    #[arg(long, default_value_t = 64)]
    pub memory_mib: u32,
    /// The most processor time that a call may take, in milliseconds.
    #[arg(long, default_value_t = 2000)]
    pub millis: u32,
}

/// Serves calls in this process, from standard input to standard output, as [`Sandbox`](crate::Sandbox) wants them. To
/// be called before anything else is started, since the limits it sets hold for the whole process.
pub fn child_main(command: &FunctionsCommand) -> ExitCode {
    // A panic's message may quote a function, which is nobody's business; the parent sees that the child is gone.
    panic::set_hook(Box::new(|_| {}));
    let limits = Limits {
        memory_mib: command.memory_mib,
        millis: command.millis,
    };
    match serve(limits, &mut io::stdin().lock(), &mut io::stdout().lock()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

fn serve(limits: Limits, input: &mut impl Read, output: &mut impl Write) -> io::Result<()> {
    if let Err(error) = confine::confine(limits) {
        return Answer::Broken(format!("the child cannot be confined: {error}")).write(output);
    }
    Answer::Ready.write(output)?;
    let mut frame = Vec::new();
    while frame::read(input, &mut frame)? {
        let question = Question::parse(&frame)?;
        confine::allow_time(limits)?;
        let answer = match engine::run(&question, limits) {
            Ok(json) => Answer::Value(json.into_bytes()),
            Err(error) => Answer::Error(error),
        };
        answer.write(output)?;
    }
    Ok(())
}
