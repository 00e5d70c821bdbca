//! Zip import and export, and archives made to do harm.
