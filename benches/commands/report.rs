//! What was found, as the README shows it.

use std::fmt;
use std::path::Path;
use std::time::Duration;

use crate::load::{Figures, median};
use crate::stores::{Filled, Overwritten};

/// The rows, in the order in which they were found.
#[derive(Debug, Default)]
pub struct Table(Vec<[String; 3]>);

fn mb(bytes: u64) -> String {
    format!("{:.1} MB", bytes as f64 / 1_000_000.0)
}

fn ms(time: Duration) -> String {
    format!("{:.2} ms", time.as_secs_f64() * 1000.0)
}

/// The median of the ratios within each round: what else the machine does meanwhile weighs on both.
fn ratio(of: &[Figures], to: &[Figures], by: impl Fn(&Figures) -> f64) -> f64 {
    median(&of.iter().zip(to).map(|(of, to)| by(of) / by(to)).collect::<Vec<f64>>())
}

impl Table {
    fn row(&mut self, what: impl Into<String>, found: impl Into<String>, wanted: impl Into<String>) {
        self.0.push([what.into(), found.into(), wanted.into()]);
    }

    /// Process start to first acknowledgement.
    pub fn add_start(&mut self, filled: &Filled, found: Duration) {
        let wanted = if filled.count > 100_000 { "1 s" } else { "50 ms" };
        self.row(format!("First acknowledgement after the start, {} stored deployments", filled.count), ms(found), wanted);
        let times = filled.size as f64 / filled.content as f64;
        self.row(format!("Disk for {} stored deployments", filled.count), format!("{}, {times:.1} times their JSON", mb(filled.size)), "");
    }

    /// Memory of a process, by what it has stored.
    pub fn add_memory(&mut self, when: &str, count: u64, bytes: u64, wanted: &str) {
        self.row(format!("Memory {when}, {count} stored deployments"), mb(bytes), wanted);
    }

    /// What a load found at the bare server, the one that appends, the service, and the service with many deployments.
    pub fn add_load(&mut self, connections: usize, rounds: &[Vec<Figures>; 4]) {
        let [physical, durable, few, many] = rounds;
        let rate = |figures: &Figures| figures.rate;
        let typical = |figures: &[Figures], by: fn(&Figures) -> Duration| ms(median(&figures.iter().map(by).collect::<Vec<_>>()));
        let to_durable = ratio(few, durable, rate);
        let wanted = if connections == 64 { "0.6" } else { "" };
        self.row(format!("Acknowledged commands at {connections} connections, to the durable limit"), format!("{to_durable:.2}"), wanted);
        self.row(format!("The same to the physical limit ({connections})"), format!("{:.2}", ratio(few, physical, rate)), "");
        for (name, figures) in [("the physical limit", physical), ("the durable limit", durable), ("this service", few)] {
            let wanted = if connections == 16 && name == "this service" { "p99 3 ms" } else { "" };
            let times = format!("p50 {}, p99 {}", typical(figures, |found| found.p50), typical(figures, |found| found.p99));
            self.row(format!("Time to the acknowledgement at {connections} connections, {name}"), times, wanted);
        }
        let slower = ratio(many, few, |figures| figures.p50.as_secs_f64());
        let tail = ratio(many, few, |figures| figures.p99.as_secs_f64());
        self.row(
            format!("The time with many stored deployments, to that with few ({connections})"),
            format!("p50 {slower:.2}, p99 {tail:.2}"),
            "1",
        );
    }

    /// Size after overwriting.
    pub fn add_overwrites(&mut self, found: &Overwritten) {
        let times = found.size as f64 / found.content as f64;
        let what = format!("Disk after {} overwrites of {} of live records", found.times, mb(found.content));
        let rate = found.times as f64 / found.took.as_secs_f64();
        self.row(
            what,
            format!("{} ({times:.0} times), {rate:.0} overwrites per second, opened again in {}", mb(found.size), ms(found.opened)),
            "",
        );
    }

    /// Puts the table between its marks in a file of the package.
    pub fn write_into(&self, file: &str) {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
        let text = std::fs::read_to_string(&path).unwrap();
        let (before, rest) = text.split_once("<!-- cost -->").expect("the mark is there");
        let (_, after) = rest.split_once("<!-- /cost -->").expect("its end is there");
        std::fs::write(path, format!("{before}<!-- cost -->\n\n{self}\n<!-- /cost -->{after}")).unwrap();
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("| What | Measured | To reach |\n|---|---|---|\n")?;
        self.0.iter().try_for_each(|[what, found, wanted]| writeln!(f, "| {what} | {found} | {wanted} |"))
    }
}
