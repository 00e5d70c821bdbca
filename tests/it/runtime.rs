//! What every `SessionRuntime` must do: the contract, run against the local sandbox.
