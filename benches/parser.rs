//! How fast what people type is understood.
#![allow(missing_docs, reason = "the macros of the harness document nothing")]

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use slash_heroku::domain::parse::{parse, split_code};

/// Typed texts: understood, with a code, and not understood.
const TYPED: [(&str, &str); 4] = [
    ("a deploy", "deploy hubot/topic/long-branch-name to production/web-eu"),
    ("a deploy past its checks, with a code", "deploy! hubot/main to production because the checks are down 123456"),
    ("a list", "pipelines"),
    ("a slip of the finger", "delpoy hubot to prodcution"),
];

fn parser(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("parser");
    for (name, typed) in TYPED {
        group.throughput(Throughput::Bytes(typed.len() as u64));
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                let (text, code) = split_code(black_box(typed));
                (parse(text).is_ok(), code.is_some())
            });
        });
    }
    group.finish();
}

criterion_group!(benches, parser);
criterion_main!(benches);
