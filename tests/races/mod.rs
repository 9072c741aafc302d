//! Concurrent workers, uploads and operators, in any order and with repetitions.

mod answers;
mod bursts;
mod guards;
mod money;
mod numbers;
mod operator_actions;
mod standing;
mod suspension;
mod sweeps;
