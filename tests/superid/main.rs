//! SuperID's back channel over real sockets: keys, codes and posted tokens, with a double that
//! says what it is told to.

mod double;
mod keys;
mod mint;
mod posted;
mod redeem;
mod world;
