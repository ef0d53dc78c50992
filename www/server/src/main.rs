//! `tokenkeep-server`: reads the flags, serves until it is told to stop.

use std::{env, process::ExitCode};

use tokenkeep_server::{
    flags::{self, Asked},
    serve,
};
use tokio::signal::unix::{SignalKind, signal};

#[tokio::main]
async fn main() -> ExitCode {
    let asked = match flags::parse(env::args_os().skip(1)) {
        Ok(asked) => asked,
        Err(message) => return failed(&message),
    };
    let config = match asked {
        Asked::Help => {
            print!("{}", flags::HELP);
            return ExitCode::SUCCESS;
        }
        Asked::Serve(config) => *config,
    };
    // Listened for from here on, so that a signal during the start is not lost.
    let (Ok(mut interrupt), Ok(mut terminate)) =
        (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
    else {
        return failed("cannot listen for signals");
    };
    let running = match serve::start(config).await {
        Ok(running) => running,
        Err(message) => return failed(&message),
    };
    println!("listening on http://{}", running.address);
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    running.stop().await;
    ExitCode::SUCCESS
}

fn failed(message: &str) -> ExitCode {
    eprintln!("tokenkeep-server: {message}");
    ExitCode::FAILURE
}
