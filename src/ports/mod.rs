//! What the product needs from the outside, as traits that speak the domain's language.
//!
//! A credential is an argument of a call, never a field. What a port promises is written here, once.

pub mod account_store;
pub mod accounts;
pub mod allowances;
pub mod chat;
pub mod clock;
pub mod directory;
pub mod doorbell;
pub mod exports;
pub mod forgets;
pub mod inbox;
pub mod install;
pub mod installation_store;
pub mod keeping;
pub mod lock_store;
pub mod operating;
pub mod platform;
pub mod sign_in;
pub mod source;
pub mod store;
pub mod tally;
pub mod vault;
pub mod visits;

pub use crate::domain::fault::{Fault, PortError, Service};
pub use account_store::{AccountBatch, AccountStore};
pub use accounts::{Accounts, Credentials, NoCredentials};
pub use allowances::{Allowances, Boundless};
pub use chat::{Addressee, Asked, Chat, Delivered, Urgency};
pub use clock::{Clock, Ids, Listener, Sent, StreamKey, WakeKey};
pub use directory::Directory;
pub use doorbell::{Answers, Doorbell};
pub use exports::Exports;
pub use forgets::Forgets;
pub use inbox::{Inbox, Incoming, Submitted};
pub use install::{BotGrant, BotScope, BotTokens, Done, Hears, InstallAt, Installed, Installing, NotInstalled};
pub use installation_store::{InstallationBatch, InstallationStore, Left};
pub use keeping::{HowMuch, Keeping, NoteBatch, NothingKept};
pub use lock_store::{LockStore, NoLocks};
pub use operating::Operating;
pub use platform::{
    BuildOrder, BuildStart, Follower, Heard, Platform, Printed, PromotionOrder, PromotionSeen, PromotionStart, ReturnOrder, ReturnStart,
    UploadedSource,
};
pub use sign_in::{Extent, Granted, Identity, Proof, Revoked, ScopeAsked, SignInAt, Tokens};
pub use source::{AnnouncementOrder, ArchiveBody, ArchiveFault, SourceArchive, SourceControl};
pub use store::{Batch, Lease, Store, StoreError, Work};
pub use tally::Tally;
pub use vault::{Resealed, SealedThings, Secrets, Vault, VaultError};
pub use visits::{NoVisit, Visits};

#[cfg(feature = "testing")]
pub use {
    account_store::MockAccountStore,
    accounts::MockAccounts,
    allowances::MockAllowances,
    chat::MockChat,
    clock::{MockClock, MockIds, MockListener},
    directory::MockDirectory,
    doorbell::MockDoorbell,
    exports::MockExports,
    forgets::MockForgets,
    inbox::MockInbox,
    install::{MockBotTokens, MockHears, MockInstallAt, MockInstalling},
    installation_store::MockInstallationStore,
    keeping::MockKeeping,
    lock_store::MockLockStore,
    operating::MockOperating,
    platform::{MockFollower, MockPlatform},
    sign_in::MockSignInAt,
    source::{MockArchiveBody, MockSourceControl},
    store::MockStore,
    tally::MockTally,
    vault::{MockSealedThings, MockSecrets, MockVault},
    visits::MockVisits,
};
