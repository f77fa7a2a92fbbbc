//! Says why a `git clone` from Bitbucket over SSH fails, proves it, and gives the command that fixes it.

mod cli;
mod completions;
mod diagnosis;
mod engine;
mod exit;
mod explain;
mod fix;
mod manual;
mod output;
mod progress;
mod recording;
mod report;
mod settings;

use std::error::Error as _;
use std::io::{IsTerminal as _, Write as _};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bbdoctor_checks::facts::environment::Environment;
use bbdoctor_checks::facts::{Facts, Operation, Request};
use bbdoctor_checks::privacy::{QUOTE_LIMIT, neutralise};
use bbdoctor_evidence::gather::Beginning;
use bbdoctor_evidence::machine::environment;
use clap::Parser as _;
use clap::error::ErrorKind;

use cli::{Cli, Colour, Command, Diagnose, Format, NoSuchCheck, Redact, Tell};
use exit::Exit;
use fix::restore::Done;
use output::Output;
use progress::Progress;
use recording::Recording;
use report::audiences::{Audiences, Withheld};
use report::human::{Detail, Manner};

fn main() -> ExitCode {
    // A check that panics is reported as crashed; the runtime's own words about it would only spoil stderr.
    std::panic::set_hook(Box::new(|_| {}));
    std::panic::catch_unwind(run)
        .unwrap_or_else(|_| {
            complain("bbdoctor has a fault and stopped; please report it");
            Exit::Fault
        })
        .into()
}

fn run() -> Exit {
    let environment = environment::capture();
    let asking = environment.text(completions::VARIABLE);
    if let Some(offered) = asking.and_then(|shell| completions::answer(&shell, std::env::args_os())) {
        return say(&offered);
    }
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // The sentence that names the nearest check needs no usage of the whole program behind it.
            if let Some(unknown) = error.source().and_then(|source| source.downcast_ref::<NoSuchCheck>()) {
                complain(&unknown.to_string());
                return Exit::Usage;
            }
            let asked_for = matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion);
            let printed = error.print();
            return if asked_for { said(printed) } else { Exit::Usage };
        }
    };
    match cli.command {
        Some(Command::Checks) => say(&explain::checks()),
        Some(Command::Schema) => report::json::schema().map_or(Exit::Fault, |schema| say(&schema)),
        Some(Command::Completions { shell }) => completions::script(shell).map_or(Exit::Fault, |script| say(&script)),
        Some(Command::Man) => manual::page().map_or(Exit::Fault, |page| say(&page)),
        Some(Command::Restore { file }) => restore(&file),
        Some(Command::Replay { recording, tell }) => replay(&recording, &tell, &environment),
        Some(Command::Explain { code }) => explain(code.as_deref(), &environment),
        None => diagnose(&cli.diagnose, environment).unwrap_or_else(|usage| {
            complain(&usage);
            Exit::Usage
        }),
    }
}

/// Restores a key file and says what was done.
fn restore(file: &Path) -> Exit {
    let named = |path: &Path| neutralise(&path.to_string_lossy(), QUOTE_LIMIT);
    match fix::restore::restore(file) {
        Ok(done) if done.is_empty() => say(&format!("{} needs no restoring.\n", named(file))),
        Ok(done) => {
            let sentence = |done: &Done| match done {
                Done::Key { file, kept } => {
                    format!("Restored {}; the damaged file is kept as {}.\n", named(file), named(kept))
                }
                Done::Public { file, kept: None } => format!("Wrote {}.\n", named(file)),
                Done::Public { file, kept: Some(kept) } => {
                    format!("Wrote {}, which belonged to another key; the old file is kept as {}.\n", named(file), named(kept))
                }
            };
            say(&done.iter().map(sentence).collect::<String>())
        }
        Err(refusal) => {
            complain(&format!("{} {refusal}", named(file)));
            if refusal.is_the_keys() { Exit::Broken } else { Exit::Usage }
        }
    }
}

/// Prints a page, or the list of them: for reading on a terminal, else as it is.
fn explain(name: Option<&str>, environment: &Environment) -> Exit {
    let width = std::io::stdout().is_terminal().then(|| textwrap::termwidth().min(100));
    let colour = width.is_some() && wants_colour(Colour::Auto, environment);
    let Some(name) = name else { return say(&explain::list(width, colour)) };
    match (explain::page(name), width) {
        (Some(page), Some(width)) => say(&explain::reading::lay_out(&page, width, colour)),
        (Some(page), None) => say(&page),
        (None, _) => {
            let hint = explain::nearest(name).map(|n| format!("; did you mean {n}?")).unwrap_or_default();
            complain(&format!("no finding and no check is called {name:?}{hint} (bbdoctor explain lists them)"));
            Exit::Usage
        }
    }
}

/// Examines the target and prints the report. The error is a sentence about wrong usage.
#[allow(clippy::disallowed_methods, reason = "the run begins here, and its clock with it")]
fn diagnose(options: &Diagnose, environment: Environment) -> Result<Exit, String> {
    let selection = engine::Selection { only: options.only.clone(), skip: options.skip.clone() };
    if selection.is_empty() {
        return Err("no check is left to run".into());
    }
    let services = settings::read(options.config.as_deref(), &environment).map_err(|e| e.to_string())?;
    let tell = &options.tell;
    let colour = wants_colour(tell.color, &environment);
    let outputs = open_all(tell);
    let record = options.record.as_deref().map(open);
    let budget = Duration::from_secs(options.timeout);
    let request = Request {
        target: options.target.clone(),
        operation: if options.push { Operation::Push } else { Operation::Fetch },
        may_execute: !options.no_exec,
        offline: options.offline,
        budget_ms: options.timeout.saturating_mul(1000),
    };
    let progress = match (tell.format == Format::Human && !tell.quiet, tell.accessible) {
        (false, _) => Progress::none(),
        (true, true) => Progress::still(budget),
        (true, false) => Progress::moving(budget),
    };
    let progress = Arc::new(progress);
    let watch = Arc::clone(&progress);
    let beginning = Beginning { request, environment, services, started: Instant::now() };
    let facts = engine::find_out(beginning, &selection, move |waiting| watch.show(waiting));
    progress.finish();
    let recorded = record.map_or(Exit::Healthy, |record| write_recording(record, &facts, &selection));
    Ok(match report(&facts, &selection, tell, colour, outputs) {
        Exit::Healthy if !tell.exit_zero => recorded,
        exit => exit,
    })
}

/// Writes what was gathered. The error has been told.
fn write_recording(record: Result<Output, Exit>, facts: &Facts, selection: &engine::Selection) -> Exit {
    let text = Recording::new(facts, selection).text().map_err(|e| {
        complain(&format!("cannot record what was gathered: {e}; please report this fault of bbdoctor"));
        Exit::Fault
    });
    record.and_then(|record| write(record, &text?)).err().unwrap_or(Exit::Healthy)
}

/// Runs the checks over a recording.
fn replay(file: &Path, tell: &Tell, environment: &Environment) -> Exit {
    let recording = match Recording::read(file) {
        Ok(recording) => recording,
        Err(error) => {
            complain(&format!(
                "{}: {}",
                neutralise(&file.to_string_lossy(), QUOTE_LIMIT),
                neutralise(&error.to_string(), QUOTE_LIMIT)
            ));
            return Exit::Usage;
        }
    };
    if recording.bbdoctor != env!("CARGO_PKG_VERSION") {
        complain(&format!("bbdoctor {} made this recording", neutralise(&recording.bbdoctor, QUOTE_LIMIT)));
    }
    report(&recording.facts, &recording.selection(), tell, wants_colour(tell.color, environment), open_all(tell))
}

/// Where a report goes besides stdout: its form, and the file or what came of opening it.
type Outputs = Vec<(Format, Result<Output, Exit>)>;

fn open_all(tell: &Tell) -> Outputs {
    tell.output.iter().map(|to| (to.format.unwrap_or(tell.format), open(&to.path))).collect()
}

/// Judges the facts and tells what came of it.
fn report(facts: &Facts, selection: &engine::Selection, tell: &Tell, colour: bool, outputs: Outputs) -> Exit {
    let mut results = engine::examine(facts, selection);
    let verdict = diagnosis::judge(&mut results, &facts.git_outcome());
    let audiences = Audiences::new(facts, &results, &verdict);
    let detail = match (tell.quiet, tell.verbose) {
        (true, _) => Detail::Quiet,
        (false, true) => Detail::Verbose,
        (false, false) => Detail::Normal,
    };
    let width = if std::io::stdout().is_terminal() { textwrap::termwidth().min(120) } else { 80 };
    let on_screen = Manner { detail, colour, width, accessible: tell.accessible };
    let redacted = |format, in_file| match tell.redact {
        Redact::Always => true,
        Redact::Never => false,
        Redact::Auto => in_file || format == Format::Markdown,
    };
    let withheld = |e: Withheld| {
        complain(&e.to_string());
        Exit::Fault
    };
    let on_stdout = audiences.text(tell.format, redacted(tell.format, false), on_screen);
    let mut written = on_stdout.map_or_else(withheld, |text| say(&text));
    for (format, output) in outputs {
        let in_file = Manner { colour: false, width: 80, ..on_screen };
        let text = audiences.text(format, redacted(format, true), in_file).map_err(withheld);
        let outcome = output.and_then(|output| write(output, &text?));
        written = written.or(outcome.err().unwrap_or(Exit::Healthy));
    }
    match audiences.own().exit(tell.strict) {
        _ if tell.exit_zero => Exit::Healthy,
        // What git does matters more than where the report went.
        Exit::Healthy => written,
        verdict => verdict,
    }
}

/// Opens a file for a report. The error has been told.
fn open(path: &Path) -> Result<Output, Exit> {
    Output::open(path).map_err(|e| {
        complain(&format!(
            "cannot write to {}: {e}; the report goes to stdout all the same",
            neutralise(&path.to_string_lossy(), QUOTE_LIMIT)
        ));
        Exit::Usage
    })
}

/// Writes a report into its file. The error has been told.
fn write(output: Output, text: &str) -> Result<(), Exit> {
    let path = neutralise(&output.path().to_string_lossy(), QUOTE_LIMIT);
    output.write(text).map_err(|e| {
        complain(&format!("cannot write the report to {path}: {e}"));
        Exit::Usage
    })
}

/// Whether to colour: the option, else NO_COLOR, CLICOLOR_FORCE and FORCE_COLOR, else what stdout is.
fn wants_colour(when: Colour, environment: &Environment) -> bool {
    let set = |name: &str| environment.text(name).is_some_and(|v| v != "0");
    match when {
        Colour::Always => true,
        Colour::Never => false,
        Colour::Auto if environment.text("NO_COLOR").is_some() => false,
        Colour::Auto if set("CLICOLOR_FORCE") || set("FORCE_COLOR") => true,
        Colour::Auto => std::io::stdout().is_terminal() && environment.text("TERM").is_none_or(|t| t != "dumb"),
    }
}

/// Writes the answer to stdout.
fn say(text: &str) -> Exit {
    let mut out = std::io::stdout().lock();
    said(out.write_all(text.as_bytes()).and_then(|()| out.flush()))
}

/// What comes of having written to stdout. A reader that has gone away is no fault.
fn said(written: std::io::Result<()>) -> Exit {
    match written {
        Err(e) if e.kind() != std::io::ErrorKind::BrokenPipe => {
            complain(&format!("cannot write to stdout: {e}"));
            Exit::Usage
        }
        _ => Exit::Healthy,
    }
}

/// Writes a sentence to stderr.
fn complain(sentence: &str) {
    let _ = writeln!(std::io::stderr(), "bbdoctor: {sentence}");
}
