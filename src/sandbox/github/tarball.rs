//! A gzipped tar, written by hand: nothing in it is compressed, and the same commit always gives the same bytes. It is made while it is
//! sent, so that a large one takes no more memory than a small one.

use bytes::Bytes;

use super::world::{Commit, Repository};

/// How much one stored block of a gzipped file holds at most, in bytes.
const BLOCK: u64 = 0xffff;

/// How long the filler is that is repeated, in bytes. No divisor of a block, so that no two blocks are alike.
const FILLER: u64 = 10_007;

/// The source of a commit: a folder `OWNER-REPO-SHA` with a few files, and filler up to the size the repository has.
///
/// Iterates over the pieces in which it is sent.
#[derive(Clone, Debug)]
pub(super) struct Tarball {
    /// What comes before the filler, the filler that is repeated, and what comes after it.
    before: Bytes,
    filler: Bytes,
    after: Bytes,
    /// Where the filler ends, and where all ends.
    filled: u64,
    length: u64,
    /// How much of the content is in the pieces so far.
    sent: u64,
    sum: crc32fast::Hasher,
    next: Next,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Next {
    Header,
    Block,
    Sum,
    Nothing,
}

fn count(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}

impl Tarball {
    /// Of a commit.
    pub(super) fn of(repository: &Repository, commit: &Commit) -> Self {
        let top = format!("{}-{}-{}", repository.owner, repository.name, commit.sha);
        let seconds = commit.at.as_second();
        let mut before = Vec::new();
        entry(&mut before, &format!("{top}/"), b'5', &[], seconds);
        entry(&mut before, &format!("{top}/COMMIT"), b'0', format!("{}\n", commit.sha).as_bytes(), seconds);
        entry(&mut before, &format!("{top}/Procfile"), b'0', b"web: ./serve\n", seconds);
        entry(&mut before, &format!("{top}/README.md"), b'0', format!("# {}\n\n{}\n", repository.name, commit.message).as_bytes(), seconds);
        let size = repository.archive_size;
        if size > 0 {
            head(&mut before, &format!("{top}/filler.bin"), b'0', size, seconds);
        }
        let padding = size.next_multiple_of(512).saturating_sub(size).saturating_add(1024);
        let after = Bytes::from(vec![0; usize::try_from(padding).unwrap_or_default()]);
        let filled = count(before.len()).saturating_add(size);
        let length = filled.saturating_add(padding);
        let (before, filler) = (before.into(), filler().into());
        Self { before, filler, after, filled, length, sent: 0, sum: crc32fast::Hasher::new(), next: Next::Header }
    }

    /// How many pieces there are in all.
    pub(super) fn pieces(&self) -> u64 {
        self.length.div_ceil(BLOCK).saturating_add(2)
    }

    /// What lies at a place of the content, up to `most` bytes of it, as far as it lies in one part.
    fn at(&self, place: u64, most: u64) -> Bytes {
        let part = |bytes: &Bytes, from: u64, most: u64| {
            let from = usize::try_from(from).unwrap_or(usize::MAX).min(bytes.len());
            let to = from.saturating_add(usize::try_from(most).unwrap_or(usize::MAX)).min(bytes.len());
            bytes.slice(from..to)
        };
        let before = count(self.before.len());
        if place < before {
            part(&self.before, place, most)
        } else if place < self.filled {
            part(&self.filler, place.saturating_sub(before) % FILLER, most.min(self.filled.saturating_sub(place)))
        } else {
            part(&self.after, place.saturating_sub(self.filled), most)
        }
    }

    /// One stored block.
    fn block(&mut self) -> Bytes {
        let length = self.length.saturating_sub(self.sent).min(BLOCK);
        let end = self.sent.saturating_add(length);
        let mut block = Vec::with_capacity(usize::try_from(BLOCK).unwrap_or_default().saturating_add(5));
        block.push(u8::from(end == self.length));
        let told = u16::try_from(length).unwrap_or(u16::MAX);
        block.extend(told.to_le_bytes());
        block.extend((!told).to_le_bytes());
        while self.sent < end {
            let part = self.at(self.sent, end.saturating_sub(self.sent));
            self.sum.update(&part);
            self.sent = self.sent.saturating_add(count(part.len()));
            block.extend_from_slice(&part);
        }
        block.into()
    }
}

impl Iterator for Tarball {
    type Item = Bytes;

    fn next(&mut self) -> Option<Bytes> {
        match self.next {
            Next::Header => {
                self.next = Next::Block;
                Some(Bytes::from_static(&[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255]))
            }
            Next::Block => {
                let block = self.block();
                if self.sent == self.length {
                    self.next = Next::Sum;
                }
                Some(block)
            }
            Next::Sum => {
                self.next = Next::Nothing;
                let length = u32::try_from(self.length & 0xffff_ffff).unwrap_or(u32::MAX);
                Some([self.sum.clone().finalize().to_le_bytes(), length.to_le_bytes()].concat().into())
            }
            Next::Nothing => None,
        }
    }
}

/// Bytes that look like nothing in particular.
fn filler() -> Vec<u8> {
    let mut state: u32 = 0x2545_F491;
    (0..FILLER)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 17;
            state ^= state << 5;
            state.to_le_bytes()[0]
        })
        .collect()
}

/// A header, the content, and zeros up to a whole block.
fn entry(tar: &mut Vec<u8>, path: &str, kind: u8, content: &[u8], seconds: i64) {
    head(tar, path, kind, count(content.len()), seconds);
    tar.extend_from_slice(content);
    tar.resize(tar.len().next_multiple_of(512), 0);
}

/// A header of the `ustar` format.
fn head(tar: &mut Vec<u8>, path: &str, kind: u8, length: u64, seconds: i64) {
    let (prefix, name) = split(path);
    let mode = if kind == b'5' { 0o755 } else { 0o644 };
    let mut header = Vec::with_capacity(512);
    field(&mut header, name.as_bytes(), 100);
    field(&mut header, format!("{mode:07o}").as_bytes(), 8);
    field(&mut header, b"0000000", 8);
    field(&mut header, b"0000000", 8);
    field(&mut header, format!("{length:011o}").as_bytes(), 12);
    field(&mut header, format!("{:011o}", seconds.max(0)).as_bytes(), 12);
    let before = header.clone();
    let mut after = vec![kind];
    field(&mut after, b"", 100);
    field(&mut after, b"ustar\0", 6);
    field(&mut after, b"00", 2);
    field(&mut after, b"root", 32);
    field(&mut after, b"root", 32);
    field(&mut after, b"0000000", 8);
    field(&mut after, b"0000000", 8);
    field(&mut after, prefix.as_bytes(), 155);
    field(&mut after, b"", 12);
    // The sum is made with eight spaces in its own place.
    let sum: u32 = before.iter().chain(&after).map(|byte| u32::from(*byte)).sum::<u32>().saturating_add(8 * 32);
    field(&mut header, format!("{sum:06o}\0 ").as_bytes(), 8);
    header.extend(after);
    tar.extend(header);
}

/// Long paths are divided at a slash between two fields.
fn split(path: &str) -> (&str, &str) {
    let body = path.strip_suffix('/').unwrap_or(path);
    match body.split_once('/') {
        Some((folder, _)) if path.len() > 100 => (folder, path.get(folder.len().saturating_add(1)..).unwrap_or_default()),
        Some(_) | None => ("", path),
    }
}

fn field(header: &mut Vec<u8>, value: &[u8], width: usize) {
    let end = header.len().saturating_add(width);
    header.extend(value.iter().take(width));
    header.resize(end, 0);
}
