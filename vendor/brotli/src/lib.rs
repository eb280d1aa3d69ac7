//! Gives pingora the two names it expects of brotli, and refuses whatever they are asked for.
//!
//! pingora can compress answers, and the gateway never lets it. The library would still be linked,
//! with a megabyte of tables and code.

use std::io::{Error, ErrorKind, Result, Write};

/// A writer that would compress what is written to it.
pub struct CompressorWriter<W> {
    inner: W,
}

impl<W: Write> CompressorWriter<W> {
    /// The size of the buffer, the quality and the window do not matter: nothing is compressed.
    pub fn new(inner: W, _buffer: usize, _quality: u32, _window: u32) -> Self {
        Self { inner }
    }

    pub fn get_ref(&self) -> &W {
        &self.inner
    }

    pub fn get_mut(&mut self) -> &mut W {
        &mut self.inner
    }
}

/// Fails with [`ErrorKind::Unsupported`].
impl<W: Write> Write for CompressorWriter<W> {
    fn write(&mut self, _plain: &[u8]) -> Result<usize> {
        Err(left_out())
    }

    fn flush(&mut self) -> Result<()> {
        Err(left_out())
    }
}

/// A writer that would unpack what is written to it.
pub struct DecompressorWriter<W> {
    inner: W,
}

impl<W: Write> DecompressorWriter<W> {
    /// The size of the buffer does not matter: nothing is unpacked.
    pub fn new(inner: W, _buffer: usize) -> Self {
        Self { inner }
    }

    pub fn get_ref(&self) -> &W {
        &self.inner
    }

    pub fn get_mut(&mut self) -> &mut W {
        &mut self.inner
    }
}

/// Fails with [`ErrorKind::Unsupported`].
impl<W: Write> Write for DecompressorWriter<W> {
    fn write(&mut self, _compressed: &[u8]) -> Result<usize> {
        Err(left_out())
    }

    fn flush(&mut self) -> Result<()> {
        Err(left_out())
    }
}

fn left_out() -> Error {
    Error::new(ErrorKind::Unsupported, "brotli is not built into this program")
}
