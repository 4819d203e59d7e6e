//! The functions that the module of `focal-loss/analysis` exports beside the others.

use core::ptr::{with_exposed_provenance as at, with_exposed_provenance_mut as at_mut};

use wasm_bindgen::prelude::wasm_bindgen;

use super::{
    bindings::{export, state},
    order,
};
use crate::kernels::{self, SweepSize};

export! {
    /// The address of what [`Meter::end`](super::Meter::end) returns.
    meter_end() -> usize = core::ptr::from_ref(state().meter.end()).expose_provenance();

    /// See [`State::softmax`](super::State::softmax).
    softmax(rows: usize, classes: usize, wanted: u32, flags: u32) = state().softmax(rows, classes, wanted, flags);

    /// See [`State::posterior`](super::State::posterior).
    posterior(rows: usize, classes: usize, flags: u32) = state().posterior(rows, classes, flags);

    /// See [`State::posterior_elements`](super::State::posterior_elements).
    posterior_elements(count: usize, columns: usize, flags: u32) =
        state().posterior_elements(count, columns, flags);

    /// See [`State::elementary`](super::State::elementary).
    elementary(count: usize, function: u32) = state().elementary(count, function);

    /// See [`State::softmax_figures`](super::State::softmax_figures).
    softmax_figures(rows: usize, classes: usize, flags: u32, buffer: usize, room: usize, bins: usize)
        = state().softmax_figures(rows, classes, flags, at_mut(buffer), room, bins);

    /// See [`State::loss_figures`](super::State::loss_figures).
    loss_figures(
        logits: usize,
        targets: usize,
        rows: usize,
        classes: usize,
        flags: u32,
        buffer: usize,
        room: usize,
        lists: usize,
        first: usize
    ) -> i32 = {
        let buffer = (at_mut(buffer), room, lists);
        state().loss_figures(at(logits), at(targets), (rows, classes), flags, buffer, first)
    };

    /// See [`State::element_figures`](super::State::element_figures).
    element_figures(
        logits: usize,
        targets: usize,
        count: usize,
        columns: usize,
        flags: u32,
        buffer: usize,
        room: usize,
        lists: usize,
        first: usize,
        groups: usize
    ) = {
        let (buffer, rows) = ((at_mut(buffer), room, lists), (first, groups));
        state().element_figures(at(logits), at(targets), (count, columns), flags, buffer, rows)
    };

    /// See [`order::rank`].
    rank(own: usize, others: usize, buffer: usize) -> u32 = order::rank(own, others, at_mut(buffer));

    /// See [`order::sort_by`].
    sort_by(count: usize, room: usize, buffer: usize) -> u32 =
        order::sort_by(count, room, at_mut(buffer));

    /// See [`order::leave_above`].
    leave_above(count: usize, room: usize, buffer: usize) -> usize =
        order::leave_above(count, room, at_mut(buffer));

    /// See [`kernels::take_apart`].
    take_apart(numbers: usize, labels: usize, count: usize, class: i32, own: usize, others: usize) -> usize = {
        let places = [at_mut(own), at_mut(others)];
        kernels::take_apart(at(numbers), at(labels), count, class, places)
    };

    /// See [`State::sweep`](super::State::sweep).
    sweep(
        logits: usize,
        targets: usize,
        rows: usize,
        classes: usize,
        flags: u32,
        gammas: usize,
        smoothings: usize,
        weightings: usize,
        buffer: usize
    ) -> i32 = {
        let size = SweepSize { gammas, smoothings, weightings };
        state().sweep(at(logits), at(targets), rows, classes, flags, size, at_mut(buffer))
    };

    /// See [`State::sweep_elements`](super::State::sweep_elements).
    sweep_elements(
        logits: usize,
        targets: usize,
        count: usize,
        columns: usize,
        flags: u32,
        gammas: usize,
        smoothings: usize,
        weightings: usize,
        buffer: usize
    ) = {
        let size = SweepSize { gammas, smoothings, weightings };
        state().sweep_elements(at(logits), at(targets), count, columns, flags, size, at_mut(buffer))
    };
}
