//! `tokenkeep-server`: reads the flags and serves until it is told to stop.

mod signals;

use std::{env, process::ExitCode};

use signals::Signals;
use tokenkeep_server::{
    flags::{self, Asked},
    serve,
};

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("tokenkeep-server: {message}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<(), String> {
    let config = match flags::parse(env::args_os().skip(1), |name| env::var_os(name))? {
        Asked::Help => {
            print!("{}", flags::HELP);
            return Ok(());
        }
        Asked::RotateKey(config) => {
            println!("{}", serve::rotate_key(*config).await?);
            return Ok(());
        }
        Asked::Serve(config) => *config,
    };
    // Before the start, so that a signal during the start is not lost.
    let mut signals =
        Signals::listen().map_err(|error| format!("cannot listen for signals: {error}"))?;
    let running = serve::start(config).await?;
    println!("listening on http://{}", running.address);
    signals.wait().await;
    running.stop().await;
    Ok(())
}
