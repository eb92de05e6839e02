//! The admin socket in the store's folder, and the backup that speaks to it.
//!
//! One line is asked: `backup`, with who and why as JSON behind it or not, and a backup file is the answer; `keys rotate`, and a line says how many were sealed again; `privacy` and
//! what is wanted as JSON, and words are. Anything else is answered with a line that begins with `error`. Who may open the socket may do
//! that: it is its owner's alone.

use std::fs::{self, DirBuilder, File, Permissions};
use std::io::{self, Read as _, Seek as _};
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tempfile::NamedTempFile;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::adapters::clock::{RandomIds, SystemClock};
use crate::domain::privacy::{Did, Noted, OperatorAsks, Wanted};
use crate::ports::{Clock as _, Ids as _, Keeping as _, NoteBatch, Operating, Resealed, SealedThings};

use super::SledStore;
use super::opening::{self, Fresh, OpenError, Opening};
use super::transfer::{self, TransferError};

/// The socket's name in the folder.
const SOCKET: &str = "admin.sock";
/// A folder in which it is made, so that nobody can reach it before it is closed to others.
const NURSERY: &str = "admin.new";
/// What asks for a backup.
const BACKUP: &str = "backup";
/// What asks to seal everything again with the newest key.
const ROTATE: &str = "keys rotate";
/// What asks about people.
const PRIVACY: &str = "privacy ";
/// What an answer begins with that is no backup.
const ERROR: &str = "error: ";
/// The longest question or error, in bytes.
const LONGEST: u64 = 4096;
/// How long to hold off after an accept that failed.
const BREATH: Duration = Duration::from_millis(100);
/// What the name of a socket may have, in bytes.
const LONGEST_NAME: usize = 107;

/// A folder under a name that is short enough for a socket in it.
#[derive(Debug)]
struct Reach {
    folder: PathBuf,
    /// Open as long as the short name is used.
    _open: Option<File>,
}

impl Reach {
    fn new(folder: &Path) -> io::Result<Self> {
        let longest = folder.as_os_str().len().saturating_add(NURSERY.len()).saturating_add(SOCKET.len()).saturating_add(2);
        if longest <= LONGEST_NAME {
            return Ok(Self { folder: folder.to_owned(), _open: None });
        }
        let open = File::open(folder)?;
        let short = PathBuf::from(format!("/proc/self/fd/{}", open.as_raw_fd()));
        if short.exists() {
            return Ok(Self { folder: short, _open: Some(open) });
        }
        let said =
            format!("the name of the folder is too long for a socket in it: use one of at most {} bytes", LONGEST_NAME.saturating_sub(22));
        Err(io::Error::new(io::ErrorKind::InvalidFilename, said))
    }
}

/// The socket of a store that is being served.
#[derive(Debug)]
pub struct AdminSocket {
    listener: UnixListener,
    store: SledStore,
    sealed: Vec<Arc<dyn SealedThings>>,
    operating: Option<Arc<dyn Operating>>,
}

impl AdminSocket {
    /// Opens the socket in the store's folder, in place of one that a killed process left. The caller holds the store, so
    /// nobody else can be listening. Needs to be called inside the runtime.
    pub fn bind(store: &SledStore) -> io::Result<Self> {
        let reach = Reach::new(store.folder())?;
        let (nursery, socket) = (reach.folder.join(NURSERY), reach.folder.join(SOCKET));
        DirBuilder::new().recursive(true).mode(0o700).create(&nursery)?;
        let newborn = nursery.join(SOCKET);
        opening::remove_if_there(&newborn)?;
        let listener = UnixListener::bind(&newborn)?;
        fs::set_permissions(&newborn, Permissions::from_mode(0o600))?;
        fs::rename(&newborn, &socket)?;
        fs::remove_dir(&nursery)?;
        Ok(Self { listener, store: store.clone(), sealed: Vec::new(), operating: None })
    }

    /// Seals these again as well, when it is asked to.
    #[must_use]
    pub fn resealing(self, sealed: Vec<Arc<dyn SealedThings>>) -> Self {
        Self { sealed, ..self }
    }

    /// Answers what operators ask about people as well.
    #[must_use]
    pub fn answering(self, operating: Arc<dyn Operating>) -> Self {
        Self { operating: Some(operating), ..self }
    }

    /// Answers until `stop`; a backup that is going on then is cut off, which its reader notices.
    pub async fn serve(self, stop: CancellationToken) {
        let tracker = TaskTracker::new();
        while let Some(accepted) = stop.run_until_cancelled(self.listener.accept()).await {
            match accepted {
                Ok((stream, _)) => {
                    let (store, stop) = (self.store.clone(), stop.clone());
                    let asked = Asked { sealed: self.sealed.clone(), operating: self.operating.clone() };
                    tracker.spawn(async move {
                        if let Some(Err(error)) = stop.run_until_cancelled(answer(&store, &asked, stream)).await {
                            tracing::warn!(%error, "a question at the admin socket was not answered to its end");
                        }
                    });
                }
                Err(error) => {
                    // Mostly for want of file handles, which others give back.
                    tracing::warn!(%error, "a connection to the admin socket could not be accepted");
                    if tokio::time::timeout(BREATH, stop.cancelled()).await.is_ok() {
                        break;
                    }
                }
            }
        }
        tracker.close();
        tracker.wait().await;
        drop(self.listener);
        if let Err(error) = opening::remove_if_there(&self.store.folder().join(SOCKET)) {
            tracing::warn!(%error, "the admin socket was not removed");
        }
    }
}

/// Who is asked for what the store cannot do itself.
struct Asked {
    sealed: Vec<Arc<dyn SealedThings>>,
    operating: Option<Arc<dyn Operating>>,
}

async fn answer(store: &SledStore, asked: &Asked, stream: UnixStream) -> io::Result<()> {
    let system_user = stream.peer_cred()?.uid();
    let mut stream = BufReader::new(stream);
    let mut line = String::new();
    (&mut stream).take(LONGEST).read_line(&mut line).await?;
    let mut stream = stream.into_inner();
    if line.trim_end() == ROTATE {
        let said = rotated(&asked.sealed).await.unwrap_or_else(|error| format!("{ERROR}{error}"));
        stream.write_all(format!("{said}\n").as_bytes()).await?;
        return stream.shutdown().await;
    }
    if let (Some(asks), Some(operating)) = (line.strip_prefix(PRIVACY), &asked.operating) {
        let said = match serde_json::from_str(asks.trim_end()) {
            Ok(asks) => operating.asked(&asks, system_user).await.unwrap_or_else(|error| format!("{ERROR}{error}\n")),
            Err(error) => format!("{ERROR}{error}\n"),
        };
        stream.write_all(said.as_bytes()).await?;
        return stream.shutdown().await;
    }
    let backup = line
        .strip_prefix(BACKUP)
        .map(str::trim)
        .map(|said| if said.is_empty() { Ok(OperatorAsks::backup(None, None)) } else { serde_json::from_str::<OperatorAsks>(said) });
    let Some(asks) = backup else {
        stream.write_all(format!("{ERROR}`{BACKUP}`, `{ROTATE}` and `privacy` are all that can be asked here\n").as_bytes()).await?;
        return stream.shutdown().await;
    };
    // On record before it is taken: it holds what is kept about everybody.
    let recorded = match (asks, &asked.operating) {
        (Ok(OperatorAsks { wanted: Wanted::Backup, by, because }), Some(operating)) => {
            let asks = OperatorAsks::backup(Some(by), Some(because));
            operating.asked(&asks, system_user).await.map(drop).map_err(|error| error.to_string())
        }
        (Ok(OperatorAsks { wanted: Wanted::Backup, .. }), None) => Ok(()),
        (Ok(_), _) => Err("this asks for something else than a backup".to_owned()),
        (Err(error), _) => Err(error.to_string()),
    };
    if let Err(error) = recorded {
        stream.write_all(format!("{ERROR}{error}\n").as_bytes()).await?;
        return stream.shutdown().await;
    }
    match store.export().await {
        Ok(file) => {
            tokio::io::copy(&mut tokio::fs::File::from_std(file), &mut stream).await?;
        }
        Err(error) => stream.write_all(format!("{ERROR}{error}\n").as_bytes()).await?,
    }
    stream.shutdown().await
}

/// Seals everything again that was not sealed with the newest key. An error: something could not be, and why.
async fn rotated(all: &[Arc<dyn SealedThings>]) -> Result<String, String> {
    if all.is_empty() {
        return Err("nobody signs in here, so that nothing is sealed with these keys".to_owned());
    }
    let mut found = Resealed::default();
    for sealed in all {
        let Resealed { sealed, left } = sealed.reseal().await.map_err(|error| error.to_string())?;
        found.add(sealed, left);
    }
    let said = format!("{} sealed again with the newest key", found.sealed);
    let Some(first) = found.left.first() else { return Ok(said) };
    Err(format!("{said}, and {} could not be: {first}", found.left.len()))
}

/// Has the service that runs on the store in `folder` seal everything again with its newest key; gives what it says of it.
pub async fn rotate_keys(folder: &Path) -> Result<String, TransferError> {
    let speaking = |error: io::Error| TransferError::file("speaking to the running service", &error);
    let mut stream = match connect(folder).await {
        Ok(stream) => stream,
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused) => {
            return Err(TransferError::NobodyServes(folder.to_owned()));
        }
        Err(error) => return Err(speaking(error)),
    };
    stream.write_all(format!("{ROTATE}\n").as_bytes()).await.map_err(speaking)?;
    let mut said = String::new();
    stream.read_to_string(&mut said).await.map_err(speaking)?;
    match said.trim_end().strip_prefix(ERROR) {
        Some(error) => Err(TransferError::NotRotated(error.to_owned())),
        None => Ok(said.trim_end().to_owned()),
    }
}

/// Writes a backup of the store in `folder` to a new file. Asks the running service, or opens the folder itself where none
/// runs. The file is whole and on disk, or it is not there; one that exists is not touched.
///
/// That it is taken is put on record in the store before, as whoever `asks` says.
pub async fn backup(folder: &Path, to: &Path, asks: &OperatorAsks) -> Result<(), TransferError> {
    if to.exists() {
        return Err(TransferError::Exists(to.to_owned()));
    }
    if !SledStore::is_in(folder) {
        return Err(OpenError::NoStore { folder: folder.to_owned() }.into());
    }
    let doing = format!("writing {}", to.display());
    let parent = to.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut temporary = NamedTempFile::new_in(parent).map_err(|error| TransferError::file(&doing, &error))?;
    let service = match connect(folder).await {
        Ok(stream) => Some(stream),
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused) => None,
        Err(error) => return Err(TransferError::file("speaking to the running service", &error)),
    };
    let source = match service {
        Some(stream) => Source::Service(stream, serde_json::to_string(asks).map_err(|error| TransferError::file(&doing, &error.into()))?),
        None => {
            let system_user = temporary.as_file().metadata().map_err(|error| TransferError::file(&doing, &error))?.uid();
            Source::Folder(export_alone(folder, asks, system_user).await?)
        }
    };
    let file = temporary.as_file().try_clone().map_err(|error| TransferError::file(&doing, &error))?;
    fetch(source, file).await.map_err(|error| TransferError::file(&doing, &error))?;
    let to = to.to_owned();
    let finished = tokio::task::spawn_blocking(move || {
        check(temporary.as_file_mut())?;
        finish(temporary, &to)
    });
    finished.await.unwrap_or_else(|_| Err(TransferError::File { doing, detail: "it was broken off".to_owned() }))
}

/// Asks the service that runs on the store in `folder` about people, as one of its operators.
pub async fn ask(folder: &Path, asks: &OperatorAsks) -> Result<String, TransferError> {
    let failed = |error: io::Error| TransferError::file("speaking to the running service", &error);
    let mut stream = match connect(folder).await {
        Ok(stream) => stream,
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused) => {
            return Err(TransferError::NotServed(folder.to_owned()));
        }
        Err(error) => return Err(failed(error)),
    };
    let question = serde_json::to_string(asks).map_err(|error| failed(error.into()))?;
    stream.write_all(format!("{PRIVACY}{question}\n").as_bytes()).await.map_err(failed)?;
    let mut said = String::new();
    stream.read_to_string(&mut said).await.map_err(failed)?;
    match said.strip_prefix(ERROR) {
        Some(error) => Err(TransferError::NotDone(error.trim_end().to_owned())),
        None => Ok(said),
    }
}

enum Source {
    Service(UnixStream, String),
    Folder(File),
}

async fn connect(folder: &Path) -> io::Result<UnixStream> {
    let reach = Reach::new(folder)?;
    UnixStream::connect(reach.folder.join(SOCKET)).await
}

async fn export_alone(folder: &Path, asks: &OperatorAsks, system_user: u32) -> Result<File, TransferError> {
    let at = folder.to_owned();
    let opening = Opening { fresh: Fresh::Refuse, ..Opening::default() };
    let opened = tokio::task::spawn_blocking(move || SledStore::open_with(&at, opening)).await;
    let store = opened.unwrap_or_else(|_| Err(opening::explain_panic(folder)))?;
    let deed = asks.on_record(Did::BackedUp, None, system_user, SystemClock::default().now(), RandomIds.fresh());
    let file = match store.save_notes(NoteBatch { save: vec![Noted::new(deed)], ..NoteBatch::default() }).await {
        Ok(()) => store.export().await,
        Err(error) => Err(TransferError::Service(error.to_string())),
    };
    store.close().await;
    file
}

async fn fetch(source: Source, file: File) -> io::Result<()> {
    let mut file = tokio::fs::File::from_std(file);
    match source {
        Source::Service(mut stream, asks) => {
            stream.write_all(format!("{BACKUP} {asks}\n").as_bytes()).await?;
            tokio::io::copy(&mut stream, &mut file).await?;
        }
        Source::Folder(export) => {
            tokio::io::copy(&mut tokio::fs::File::from_std(export), &mut file).await?;
        }
    }
    file.flush().await
}

/// Refuses what is not a whole backup; says what the service said instead of one.
fn check(file: &mut File) -> Result<(), TransferError> {
    let io_error = |error: io::Error| TransferError::file("reading the backup", &error);
    let mut start = Vec::new();
    file.rewind().map_err(io_error)?;
    file.by_ref().take(LONGEST).read_to_end(&mut start).map_err(io_error)?;
    if let Some(said) = start.strip_prefix(ERROR.as_bytes()) {
        return Err(TransferError::Service(String::from_utf8_lossy(said).trim_end().to_owned()));
    }
    transfer::verify(file).map(drop)
}

fn finish(temporary: NamedTempFile, to: &Path) -> Result<(), TransferError> {
    let io_error = |error: io::Error| TransferError::file(format!("writing {}", to.display()), &error);
    temporary.as_file().sync_all().map_err(io_error)?;
    temporary.persist_noclobber(to).map_err(|error| {
        if error.error.kind() == io::ErrorKind::AlreadyExists { TransferError::Exists(to.to_owned()) } else { io_error(error.error) }
    })?;
    opening::sync_parent(to).map_err(io_error)
}
