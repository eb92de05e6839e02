//! A gzipped tar, written by hand: nothing in it is compressed, and the same commit always gives the same bytes.

use super::world::{Commit, Repository};

/// The source of a commit: a folder `OWNER-REPO-SHA` with a few files, and filler up to the size the repository has.
pub(super) fn of(repository: &Repository, commit: &Commit) -> Vec<u8> {
    let top = format!("{}-{}-{}", repository.owner, repository.name, commit.sha);
    let seconds = commit.at.as_second();
    let mut tar = Vec::new();
    entry(&mut tar, &format!("{top}/"), b'5', &[], seconds);
    entry(&mut tar, &format!("{top}/COMMIT"), b'0', format!("{}\n", commit.sha).as_bytes(), seconds);
    entry(&mut tar, &format!("{top}/Procfile"), b'0', b"web: ./serve\n", seconds);
    entry(&mut tar, &format!("{top}/README.md"), b'0', format!("# {}\n\n{}\n", repository.name, commit.message).as_bytes(), seconds);
    if repository.archive_size > 0 {
        entry(&mut tar, &format!("{top}/filler.bin"), b'0', &filler(repository.archive_size), seconds);
    }
    tar.resize(tar.len().saturating_add(1024), 0);
    gzip(&tar)
}

/// Bytes that look like nothing in particular.
fn filler(length: u64) -> Vec<u8> {
    let mut state: u32 = 0x2545_F491;
    (0..length)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 17;
            state ^= state << 5;
            state.to_le_bytes()[0]
        })
        .collect()
}

/// A header of the `ustar` format, the content, and zeros up to a whole block.
fn entry(tar: &mut Vec<u8>, path: &str, kind: u8, content: &[u8], seconds: i64) {
    let (prefix, name) = split(path);
    let mode = if kind == b'5' { 0o755 } else { 0o644 };
    let mut header = Vec::with_capacity(512);
    field(&mut header, name.as_bytes(), 100);
    field(&mut header, format!("{mode:07o}").as_bytes(), 8);
    field(&mut header, b"0000000", 8);
    field(&mut header, b"0000000", 8);
    field(&mut header, format!("{:011o}", content.len()).as_bytes(), 12);
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
    tar.extend_from_slice(content);
    tar.resize(tar.len().next_multiple_of(512), 0);
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

/// One gzip member of stored blocks.
fn gzip(content: &[u8]) -> Vec<u8> {
    let mut out = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];
    let mut blocks = content.chunks(0xffff).peekable();
    while let Some(block) = blocks.next() {
        out.push(u8::from(blocks.peek().is_none()));
        let length = u16::try_from(block.len()).unwrap_or(u16::MAX);
        out.extend(length.to_le_bytes());
        out.extend((!length).to_le_bytes());
        out.extend_from_slice(block);
    }
    out.extend(crc32(content).to_le_bytes());
    let length = u32::try_from(content.len() & 0xffff_ffff).unwrap_or(u32::MAX);
    out.extend(length.to_le_bytes());
    out
}

/// The check sum of gzip.
fn crc32(content: &[u8]) -> u32 {
    let mut table = [0_u32; 256];
    for (number, place) in (0_u32..).zip(table.iter_mut()) {
        *place = (0..8).fold(number, |value, _| if value & 1 == 1 { (value >> 1) ^ 0xEDB8_8320 } else { value >> 1 });
    }
    let sum = content.iter().fold(u32::MAX, |sum, byte| {
        let [low, ..] = sum.to_le_bytes();
        table.get(usize::from(low ^ byte)).copied().unwrap_or_default() ^ (sum >> 8)
    });
    !sum
}

#[cfg(test)]
mod tests {
    use super::crc32;

    #[test]
    fn the_check_sum_is_the_one_of_gzip() {
        // The check value of the algorithm's published description.
        assert_eq!(crc32(b"123456789"), 0xCBF4_3926);
    }
}
