//! The glue to libssh2, and the only unsafe code of the house. Above it stands [`session`](super::session), which gives
//! the numbers of this file their meaning. Over 400 lines: all unsafe code is meant to be in one place.
//!
//! The `ssh2` crate covers set-up and handshake. What a diagnosis needs beyond that is called here directly: a *tap* on
//! every byte of the connection (what the peer said in clear text, its last words, how the stream ended, and a deadline
//! that holds even against a peer that never stops talking), the query whether a public key would be accepted, and
//! channels whose exit status is known to be one.
//!
//! libssh2 runs in non-blocking mode throughout; `Link::drive` waits for the socket until the deadline. In blocking mode
//! its time-outs add up, and some of its loops know none.
#![allow(unsafe_code, reason = "libssh2 is a C library; each block says why it is sound")]

use std::ffi::{CStr, CString};
use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd, RawFd};
use std::ptr::{NonNull, null, null_mut};
use std::slice;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use libc::{c_char, c_int, c_uint, c_void, size_t, ssize_t};
use libssh2_sys as raw;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use ssh2::MethodType;

use super::kexinit::{ClearPackets, IdentificationReader, clear_packets};
use crate::openssh::wire::{TEXT_LIMIT, take_string, text};
use bbdoctor_checks::facts::kexinit::NotIdentification;

/// What is kept of the clear-text packets of each side, in bytes: a KEXINIT is at most 35000.
const PACKETS_KEPT: usize = 128 * 1024;
/// What is kept of the very first bytes of a peer.
const FIRST_BYTES_KEPT: usize = 512;
const WINDOW: c_uint = 2 << 20;
const PACKET: c_uint = 32 << 10;
/// `SSH_DISCONNECT_BY_APPLICATION` (RFC 4253 section 11.1).
const BY_APPLICATION: c_int = 11;

const LIBSSH2_CALLBACK_DISCONNECT: c_int = 2;
const LIBSSH2_CALLBACK_SEND: c_int = 5;
const LIBSSH2_CALLBACK_RECV: c_int = 6;

type SignCallback =
    extern "C" fn(*mut raw::LIBSSH2_SESSION, *mut *mut u8, *mut size_t, *const u8, size_t, *mut *mut c_void) -> c_int;

// In libssh2's public header and archive; libssh2-sys does not declare them.
unsafe extern "C" {
    fn libssh2_userauth_publickey(
        session: *mut raw::LIBSSH2_SESSION,
        user: *const c_char,
        blob: *const u8,
        blob_length: size_t,
        sign: SignCallback,
        state: *mut *mut c_void,
    ) -> c_int;
    fn libssh2_session_callback_set2(session: *mut raw::LIBSSH2_SESSION, kind: c_int, callback: *const c_void) -> *mut c_void;
    fn libssh2_channel_has_exit_status(channel: *mut raw::LIBSSH2_CHANNEL) -> c_int;
    fn libssh2_version(required: c_int) -> *const c_char;
}

/// The version of the linked libssh2, such as `1.11.2_DEV`.
pub fn version() -> String {
    // SAFETY: with 0 the function returns a static, NUL-terminated string.
    unsafe { CStr::from_ptr(libssh2_version(0)) }.to_string_lossy().into_owned()
}

/// How the stream under the protocol ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum StreamEnd {
    /// The peer closed it.
    Closed,
    /// The peer, or something on the way, reset it.
    Reset,
    /// The deadline came.
    TimedOut,
    /// Another error of the system.
    Error(String),
}

/// What the tap has seen.
#[derive(Debug)]
struct Tap {
    deadline: Instant,
    /// This side has hung up: nothing more may reach the socket.
    closed: bool,
    /// Until the handshake is over, what passes is kept.
    recording: bool,
    reader: IdentificationReader,
    violation: Option<NotIdentification>,
    first_bytes: Vec<u8>,
    received_packets: Vec<u8>,
    sent: Vec<u8>,
    /// Sending met a reset, which the system then no longer tells a reader.
    reset: bool,
    disconnect: Option<(u32, String)>,
    end: Option<StreamEnd>,
}

/// What has been heard of the peer, and how the stream stands.
#[derive(Debug, Clone)]
pub(crate) struct Heard {
    pub(crate) identification: Option<String>,
    pub(crate) preamble: Vec<String>,
    pub(crate) violation: Option<NotIdentification>,
    pub(crate) first_bytes: Vec<u8>,
    pub(crate) server: ClearPackets,
    pub(crate) client: ClearPackets,
    pub(crate) packet_bytes: usize,
}

fn lock(tap: &Mutex<Tap>) -> MutexGuard<'_, Tap> {
    tap.lock().unwrap_or_else(PoisonError::into_inner)
}

fn keep(kept: &mut Vec<u8>, bytes: &[u8], limit: usize) {
    let room = limit.saturating_sub(kept.len());
    kept.extend_from_slice(&bytes[..bytes.len().min(room)]);
}

impl Tap {
    /// The error number with which the socket is to answer instead of being asked.
    fn barred(&mut self) -> Option<c_int> {
        if self.closed {
            return Some(libc::EPIPE);
        }
        if self.violation.is_some() {
            return Some(libc::EPROTO);
        }
        (Instant::now() >= self.deadline).then(|| {
            self.end.get_or_insert(StreamEnd::TimedOut);
            libc::ETIMEDOUT
        })
    }

    fn received(&mut self, bytes: &[u8]) {
        if !self.recording {
            return;
        }
        keep(&mut self.first_bytes, bytes, FIRST_BYTES_KEPT);
        if self.reader.identification().is_some() {
            return keep(&mut self.received_packets, bytes, PACKETS_KEPT);
        }
        match self.reader.feed(bytes) {
            Ok(taken) => keep(&mut self.received_packets, &bytes[taken..], PACKETS_KEPT),
            Err(violation) => self.violation = Some(violation),
        }
    }

    fn failed(&mut self, error: &io::Error) {
        self.end.get_or_insert(match error.kind() {
            io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe => StreamEnd::Reset,
            io::ErrorKind::TimedOut => StreamEnd::TimedOut,
            _ => StreamEnd::Error(error.to_string()),
        });
    }

    fn heard(&self) -> Heard {
        let ours = self.sent.iter().position(|&b| b == b'\n').map_or(&[][..], |end| &self.sent[end + 1..]);
        Heard {
            identification: self.reader.identification().map(str::to_owned),
            preamble: self.reader.preamble(),
            violation: self.violation,
            first_bytes: self.first_bytes.clone(),
            server: clear_packets(&self.received_packets),
            client: clear_packets(ours),
            packet_bytes: self.received_packets.len(),
        }
    }
}

/// The tap behind the pointer that libssh2 hands to its callbacks.
///
/// # Safety
/// `state` is null or what [`Link::open`] has stored: a pointer to the `Mutex<Tap>` of an `Arc` that outlives the session.
unsafe fn tap_of<'a>(state: *mut *mut c_void) -> Option<&'a Mutex<Tap>> {
    // SAFETY: libssh2 passes the address of its abstract pointer, which is null or set by `Link::open`; only shared
    // references to the mutex exist.
    unsafe { state.as_ref().and_then(|tap| tap.cast::<Mutex<Tap>>().as_ref()) }
}

/// The errno of a call that would have had to wait is EAGAIN, as libssh2 expects it.
fn errno(tap: &mut Tap) -> ssize_t {
    let error = io::Error::last_os_error();
    if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) {
        return -(libc::EAGAIN as ssize_t);
    }
    tap.failed(&error);
    -(error.raw_os_error().unwrap_or(libc::EIO) as ssize_t)
}

extern "C" fn on_receive(fd: c_int, buffer: *mut c_void, length: size_t, flags: c_int, state: *mut *mut c_void) -> ssize_t {
    // SAFETY: called by libssh2 with the session's abstract pointer.
    let Some(tap) = (unsafe { tap_of(state) }) else { return -(libc::EIO as ssize_t) };
    let mut tap = lock(tap);
    if let Some(error) = tap.barred() {
        return -(error as ssize_t);
    }
    // SAFETY: libssh2 vouches for `length` writable bytes at `buffer`; the descriptor is open as long as the link is.
    let count = unsafe { libc::recv(fd, buffer, length, flags) };
    match count {
        ..0 => return errno(&mut tap),
        0 => {
            let end = if tap.reset { StreamEnd::Reset } else { StreamEnd::Closed };
            tap.end.get_or_insert(end);
        }
        // SAFETY: recv(2) has just filled these bytes.
        1.. => tap.received(unsafe { slice::from_raw_parts(buffer.cast::<u8>(), count as usize) }),
    }
    match tap.violation {
        Some(_) => -(libc::EPROTO as ssize_t),
        None => count,
    }
}

extern "C" fn on_send(fd: c_int, buffer: *const c_void, length: size_t, flags: c_int, state: *mut *mut c_void) -> ssize_t {
    // SAFETY: called by libssh2 with the session's abstract pointer.
    let Some(tap) = (unsafe { tap_of(state) }) else { return -(libc::EIO as ssize_t) };
    let mut tap = lock(tap);
    if let Some(error) = tap.barred() {
        return -(error as ssize_t);
    }
    // SAFETY: libssh2 vouches for `length` readable bytes at `buffer`.
    let count = unsafe { libc::send(fd, buffer, length, flags) };
    if count < 0 {
        let error = io::Error::last_os_error().kind();
        // A server that says why it turns us away closes right after; its words are still there to be read.
        if tap.recording && matches!(error, io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset) {
            tap.reset |= error == io::ErrorKind::ConnectionReset;
            return length as ssize_t;
        }
        return errno(&mut tap);
    }
    if tap.recording {
        // SAFETY: the same bytes as above; send(2) took `count` of them.
        keep(&mut tap.sent, unsafe { slice::from_raw_parts(buffer.cast::<u8>(), count as usize) }, PACKETS_KEPT);
    }
    count
}

extern "C" fn on_disconnect(
    _session: *mut raw::LIBSSH2_SESSION,
    reason: c_int,
    message: *const c_char,
    length: c_int,
    _language: *const c_char,
    _language_length: c_int,
    state: *mut *mut c_void,
) {
    // SAFETY: called by libssh2 with the session's abstract pointer.
    let Some(tap) = (unsafe { tap_of(state) }) else { return };
    let words = match usize::try_from(length) {
        // SAFETY: libssh2 vouches for `length` bytes at a message that is not null.
        Ok(length @ 1..) if !message.is_null() => unsafe { slice::from_raw_parts(message.cast::<u8>(), length) },
        _ => &[],
    };
    lock(tap).disconnect = Some((reason.cast_unsigned(), text(words)));
}

/// Makes the signature that proves possession of a key, from the algorithm's name and the data to be signed, in the form
/// libssh2 sends on: the bare signature, or for a security key everything after the algorithm's name.
pub(crate) type Signer<'a> = dyn FnMut(&str, &[u8]) -> Option<Vec<u8>> + 'a;

struct Signing<'a> {
    algorithm: Option<String>,
    signer: &'a mut Signer<'a>,
}

/// The algorithm named in the data to be signed (RFC 4252 section 7: session id, message number, user, service,
/// "publickey", TRUE, algorithm, key).
fn algorithm_to_sign(data: &[u8]) -> Option<&[u8]> {
    let (_session_id, rest) = take_string(data)?;
    let (_user, rest) = take_string(rest.get(1..)?)?;
    let (_service, rest) = take_string(rest)?;
    let (_method, rest) = take_string(rest)?;
    Some(take_string(rest.get(1..)?)?.0)
}

extern "C" fn on_sign(
    _session: *mut raw::LIBSSH2_SESSION,
    signature: *mut *mut u8,
    signature_length: *mut size_t,
    data: *const u8,
    length: size_t,
    state: *mut *mut c_void,
) -> c_int {
    // SAFETY: `state` is the pointer given to libssh2_userauth_publickey, which libssh2 hands on unchanged while that call
    // lasts; nobody else holds the value meanwhile. `data` is valid for `length` bytes.
    let (signing, data) = unsafe { (&mut *state.cast::<Signing<'_>>(), slice::from_raw_parts(data, length)) };
    let algorithm = text(algorithm_to_sign(data).unwrap_or_default());
    let made = (signing.signer)(&algorithm, data);
    signing.algorithm = Some(algorithm);
    let Some(made) = made.filter(|m| !m.is_empty()) else { return -1 };
    // SAFETY: libssh2 frees the signature with free(3), the session having been made with the default allocator; both
    // out-pointers are libssh2's own locals.
    unsafe {
        let copy = libc::malloc(made.len()).cast::<u8>();
        if copy.is_null() {
            return -1;
        }
        copy.copy_from_nonoverlapping(made.as_ptr(), made.len());
        *signature = copy;
        *signature_length = made.len();
    }
    0
}

/// An error of libssh2: its number (`LIBSSH2_ERROR_…`) and words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Error {
    pub(crate) code: i32,
    pub(crate) words: String,
}

impl From<ssh2::Error> for Error {
    fn from(error: ssh2::Error) -> Self {
        let (ssh2::ErrorCode::Session(code) | ssh2::ErrorCode::SFTP(code)) = error.code();
        Error { code, words: text(error.message().as_bytes()) }
    }
}

/// Lends the descriptor to the `ssh2` crate, which wants to own a stream.
struct Lent(RawFd);

impl AsRawFd for Lent {
    fn as_raw_fd(&self) -> RawFd {
        self.0
    }
}

/// A libssh2 session over a stream, with a tap and a deadline. The fields are dropped in this order: first the session,
/// which still calls the tap and knows the descriptor.
pub(crate) struct Link {
    session: ssh2::Session,
    tap: Arc<Mutex<Tap>>,
    stream: OwnedFd,
    established: bool,
}

impl Link {
    /// Prepares a session over `stream`; sends nothing.
    pub(crate) fn open(stream: OwnedFd, deadline: Instant) -> Result<Self, Error> {
        let tap = Arc::new(Mutex::new(Tap {
            deadline,
            closed: false,
            recording: true,
            reader: IdentificationReader::default(),
            violation: None,
            first_bytes: Vec::new(),
            received_packets: Vec::new(),
            sent: Vec::new(),
            reset: false,
            disconnect: None,
            end: None,
        }));
        let mut session = ssh2::Session::new()?;
        session.set_blocking(false);
        session.set_tcp_stream(Lent(stream.as_raw_fd()));
        let link = Link { session, tap, stream, established: false };
        let session = link.raw();
        // SAFETY: the session is alive. The tap lives in an Arc that the link drops after the session. The callbacks have
        // the types that libssh2.h documents for these three kinds.
        unsafe {
            *raw::libssh2_session_abstract(session) = Arc::as_ptr(&link.tap).cast_mut().cast();
            libssh2_session_callback_set2(session, LIBSSH2_CALLBACK_DISCONNECT, on_disconnect as *const c_void);
            libssh2_session_callback_set2(session, LIBSSH2_CALLBACK_RECV, on_receive as *const c_void);
            libssh2_session_callback_set2(session, LIBSSH2_CALLBACK_SEND, on_send as *const c_void);
        }
        Ok(link)
    }

    /// libssh2's handle. It stays valid as long as the link; the crate's lock is not needed, for the link never gives the
    /// session to anyone else.
    fn raw(&self) -> *mut raw::LIBSSH2_SESSION {
        &raw mut *self.session.raw()
    }

    /// Repeats `step` until it no longer says that it would have to wait, or until the deadline, which reads as
    /// `LIBSSH2_ERROR_TIMEOUT`.
    fn drive(&self, mut step: impl FnMut() -> c_int) -> c_int {
        loop {
            let code = step();
            if code != raw::LIBSSH2_ERROR_EAGAIN {
                return code;
            }
            if !self.wait() {
                return raw::LIBSSH2_ERROR_TIMEOUT;
            }
        }
    }

    /// Waits until the socket is ready for what libssh2 wants of it; false when the deadline comes first.
    fn wait(&self) -> bool {
        let left = lock(&self.tap).deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            lock(&self.tap).end.get_or_insert(StreamEnd::TimedOut);
            return false;
        }
        // SAFETY: the session is alive.
        let directions = unsafe { raw::libssh2_session_block_directions(self.raw()) };
        let mut wanted = PollFlags::empty();
        wanted.set(PollFlags::POLLOUT, directions & raw::LIBSSH2_SESSION_BLOCK_OUTBOUND != 0);
        wanted.set(PollFlags::POLLIN, directions & raw::LIBSSH2_SESSION_BLOCK_INBOUND != 0 || wanted.is_empty());
        let pause = left.clamp(Duration::from_millis(1), Duration::from_millis(500));
        let _ = poll(&mut [PollFd::new(self.stream.as_fd(), wanted)], PollTimeout::try_from(pause).unwrap_or(PollTimeout::ZERO));
        true
    }

    /// Sets the time by which everything asked from now on has to be over.
    pub(crate) fn set_deadline(&self, deadline: Instant) {
        lock(&self.tap).deadline = deadline;
    }

    /// The algorithms this libssh2 knows for `kind`, in the order it offers them.
    pub(crate) fn supported(&self, kind: MethodType) -> Vec<String> {
        self.session.supported_algs(kind).unwrap_or_default().into_iter().map(str::to_owned).collect()
    }

    /// Offers only these algorithms, all of which have to be supported.
    pub(crate) fn prefer(&self, kind: MethodType, names: &[String]) -> Result<(), Error> {
        Ok(self.session.method_pref(kind, &names.join(","))?)
    }

    /// Exchanges identifications and keys and asks for the authentication service; gives away neither user nor key.
    pub(crate) fn handshake(&mut self) -> Result<(), Error> {
        let mut failure = None;
        let mut session = self.session.clone();
        let code = self.drive(|| match session.handshake().map_err(Error::from) {
            Ok(()) => 0,
            Err(error) => {
                let code = error.code;
                failure = Some(error);
                code
            }
        });
        let mut tap = lock(&self.tap);
        if code == 0 {
            tap.recording = false;
            self.established = true;
            return Ok(());
        }
        Err(failure.filter(|f| f.code == code).unwrap_or(Error { code, words: String::new() }))
    }

    /// What has been heard so far.
    pub(crate) fn heard(&self) -> Heard {
        lock(&self.tap).heard()
    }

    /// How the stream ended, if it did.
    pub(crate) fn end(&self) -> Option<StreamEnd> {
        lock(&self.tap).end.clone()
    }

    /// The peer's last words: reason and text of its `SSH_MSG_DISCONNECT`.
    pub(crate) fn disconnect(&self) -> Option<(u32, String)> {
        lock(&self.tap).disconnect.clone()
    }

    /// libssh2's words for its latest error.
    pub(crate) fn words(&self) -> String {
        ssh2::Error::last_session_error(&self.session).map(|e| text(e.message().as_bytes())).unwrap_or_default()
    }

    /// The server's host key or certificate in wire form.
    pub(crate) fn host_key(&self) -> Option<Vec<u8>> {
        self.session.host_key().map(|(blob, _)| blob.to_vec())
    }

    /// The method agreed on.
    pub(crate) fn method(&self, kind: MethodType) -> Option<String> {
        self.session.methods(kind).map(str::to_owned)
    }

    /// Whether the server has let us in.
    pub(crate) fn authenticated(&self) -> bool {
        self.session.authenticated()
    }

    /// Public key authentication (RFC 4252 section 7): first the query without a signature; only if the server would
    /// accept the key, `signer` is called. Returns libssh2's number and the algorithm the server agreed to, if it did.
    pub(crate) fn public_key(&self, user: &CStr, blob: &[u8], signer: &mut Signer<'_>) -> (c_int, Option<String>) {
        let mut signing = Signing { algorithm: None, signer };
        let state = (&raw mut signing).cast::<*mut c_void>();
        let session = self.raw();
        // SAFETY: user and blob outlive the call; `signing` is touched by the callback alone, and only while this runs.
        let code =
            self.drive(|| unsafe { libssh2_userauth_publickey(session, user.as_ptr(), blob.as_ptr(), blob.len(), on_sign, state) });
        (code, signing.algorithm)
    }

    /// Authentication with a private key in any format libssh2 reads. Without its passphrase an encrypted key is an error;
    /// nobody is asked.
    pub(crate) fn private_key(&self, user: &CStr, key: &[u8]) -> c_int {
        let session = self.raw();
        // SAFETY: user and key outlive the call; a null public key has libssh2 derive it, a null passphrase reads as empty.
        self.drive(|| unsafe {
            raw::libssh2_userauth_publickey_frommemory(
                session,
                user.as_ptr(),
                user.count_bytes(),
                null(),
                0,
                key.as_ptr().cast(),
                key.len(),
                null(),
            )
        })
    }

    /// The methods the server offers after the request "none", as sent; or libssh2's number, 0 when "none" was enough.
    pub(crate) fn methods(&self, user: &CStr) -> Result<Vec<u8>, c_int> {
        let session = self.raw();
        let length = c_uint::try_from(user.count_bytes()).map_err(|_| raw::LIBSSH2_ERROR_INVAL)?;
        let mut list = null_mut();
        let code = self.drive(|| unsafe {
            // SAFETY: user outlives the call. The list belongs to the session and is copied below, before the next call.
            list = raw::libssh2_userauth_list(session, user.as_ptr(), length);
            if list.is_null() { raw::libssh2_session_last_errno(session) } else { 0 }
        });
        match NonNull::new(list) {
            // SAFETY: libssh2 ends the list with a NUL.
            Some(list) if code == 0 => Ok(unsafe { CStr::from_ptr(list.as_ptr()) }.to_bytes().to_vec()),
            _ => Err(code),
        }
    }

    /// Opens a channel of type "session" (RFC 4254 section 6.1).
    pub(crate) fn channel(&self) -> Result<Channel<'_>, c_int> {
        const KIND: &[u8] = b"session";
        let session = self.raw();
        let mut channel = null_mut();
        // SAFETY: the session is alive; the kind is passed with its length.
        let code = self.drive(|| unsafe {
            let kind = KIND.as_ptr().cast();
            channel = raw::libssh2_channel_open_ex(session, kind, KIND.len() as c_uint, WINDOW, PACKET, null(), 0);
            if channel.is_null() { raw::libssh2_session_last_errno(session) } else { 0 }
        });
        NonNull::new(channel).map(|channel| Channel { link: self, raw: channel }).ok_or(code)
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        if self.established && lock(&self.tap).end.is_none() {
            let session = self.raw();
            // SAFETY: the session is alive; the strings are static. One attempt: whoever does not read gets no good-bye.
            unsafe { raw::libssh2_session_disconnect_ex(session, BY_APPLICATION, c"bye".as_ptr(), c"".as_ptr()) };
        }
        // Freeing the session must neither wait nor send.
        lock(&self.tap).closed = true;
    }
}

/// What a channel has to say just now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reading {
    /// So many bytes.
    Bytes(usize),
    /// Nothing for the time being.
    Nothing,
    /// The stream is at its end.
    End,
    /// libssh2's number of an error.
    Error(c_int),
}

/// A channel; freed before its link.
pub(crate) struct Channel<'a> {
    link: &'a Link,
    raw: NonNull<raw::LIBSSH2_CHANNEL>,
}

impl Channel<'_> {
    /// Asks for an environment variable (RFC 4254 section 6.4); libssh2's number.
    pub(crate) fn set_environment(&mut self, name: &str, value: &str) -> c_int {
        let channel = self.raw.as_ptr();
        // SAFETY: the channel is alive; both strings are passed with their lengths.
        self.link.drive(|| unsafe {
            raw::libssh2_channel_setenv_ex(
                channel,
                name.as_ptr().cast(),
                name.len() as c_uint,
                value.as_ptr().cast(),
                value.len() as c_uint,
            )
        })
    }

    /// Asks the server to run a command (RFC 4254 section 6.5); libssh2's number.
    pub(crate) fn exec(&mut self, command: &CString) -> c_int {
        const REQUEST: &[u8] = b"exec";
        let channel = self.raw.as_ptr();
        // SAFETY: the channel is alive; both strings are passed with their lengths.
        self.link.drive(|| unsafe {
            raw::libssh2_channel_process_startup(
                channel,
                REQUEST.as_ptr().cast(),
                REQUEST.len() as c_uint,
                command.as_ptr(),
                command.as_bytes().len() as c_uint,
            )
        })
    }

    /// Reads what is there of stdout or stderr, without waiting.
    pub(crate) fn read(&mut self, stderr: bool, buffer: &mut [u8]) -> Reading {
        let stream = if stderr { ssh2::EXTENDED_DATA_STDERR } else { 0 };
        // SAFETY: the channel is alive; the buffer is passed with its length.
        let count = unsafe { raw::libssh2_channel_read_ex(self.raw.as_ptr(), stream, buffer.as_mut_ptr().cast(), buffer.len()) };
        match c_int::try_from(count) {
            Ok(raw::LIBSSH2_ERROR_EAGAIN) => Reading::Nothing,
            // SAFETY: the channel is alive.
            Ok(0) if unsafe { raw::libssh2_channel_eof(self.raw.as_ptr()) } == 0 => Reading::Nothing,
            Ok(0) => Reading::End,
            Ok(count @ 1..) => Reading::Bytes(count as usize),
            Ok(code) => Reading::Error(code),
            Err(_) => Reading::Error(raw::LIBSSH2_ERROR_PROTO),
        }
    }

    /// Waits until there may be more; false at the deadline.
    pub(crate) fn wait(&self) -> bool {
        self.link.wait()
    }

    /// Sends bytes to the command, then the end of its input; libssh2's number.
    pub(crate) fn finish_input(&mut self, mut bytes: &[u8]) -> c_int {
        let channel = self.raw.as_ptr();
        while !bytes.is_empty() {
            // SAFETY: the channel is alive; the bytes are passed with their length.
            let count = self
                .link
                .drive(|| unsafe { raw::libssh2_channel_write_ex(channel, 0, bytes.as_ptr().cast(), bytes.len()) as c_int });
            match usize::try_from(count) {
                Ok(count) => bytes = &bytes[count.min(bytes.len())..],
                Err(_) => return count,
            }
        }
        // SAFETY: the channel is alive.
        self.link.drive(|| unsafe { raw::libssh2_channel_send_eof(channel) })
    }

    /// Once the output has ended: waits for the server to close the channel, which it does after it has sent the exit
    /// status, for at most `patience`; libssh2's number.
    pub(crate) fn wait_closed(&mut self, patience: Duration) -> c_int {
        let channel = self.raw.as_ptr();
        let until = Instant::now() + patience;
        // SAFETY: the channel is alive.
        self.link.drive(|| match unsafe { raw::libssh2_channel_wait_closed(channel) } {
            raw::LIBSSH2_ERROR_EAGAIN if Instant::now() >= until => 0,
            code => code,
        })
    }

    /// The exit status, if the server has sent one.
    pub(crate) fn exit_status(&self) -> Option<i32> {
        // SAFETY: the channel is alive.
        unsafe {
            (libssh2_channel_has_exit_status(self.raw.as_ptr()) != 0)
                .then(|| raw::libssh2_channel_get_exit_status(self.raw.as_ptr()))
        }
    }

    /// The name of the signal that ended the command, without `SIG`, if the server has sent one.
    pub(crate) fn exit_signal(&self) -> Option<String> {
        let (mut name, mut length) = (null_mut::<c_char>(), 0);
        // SAFETY: the channel is alive; the other outputs may be null. The name is `length` bytes that are ours to free.
        unsafe {
            let channel = self.raw.as_ptr();
            raw::libssh2_channel_get_exit_signal(channel, &mut name, &mut length, null_mut(), null_mut(), null_mut(), null_mut());
            if name.is_null() {
                return None;
            }
            let copy = text(slice::from_raw_parts(name.cast::<u8>(), length.min(TEXT_LIMIT)));
            raw::libssh2_free(self.link.raw(), name.cast());
            Some(copy)
        }
    }
}

impl Drop for Channel<'_> {
    fn drop(&mut self) {
        // SAFETY: the channel is alive and not used again. If it cannot be closed without waiting, the session frees it.
        unsafe { raw::libssh2_channel_free(self.raw.as_ptr()) };
    }
}
