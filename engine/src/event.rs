//! Events: what the core decided at a tick. They are the audit trail, so wall time is no part of them.

use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::tick::Tick;
use crate::value::Value;

/// What kind of decision an event records.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum EventKind {
    /// A trigger's condition began to hold and its actions ran.
    TriggerActivated,
    /// A trigger's condition ceased to hold and it is armed again.
    TriggerDeactivated,
    /// An animation was started.
    AnimationStarted,
    /// An animation was stopped before its end.
    AnimationStopped,
    /// An animation ran to its end.
    AnimationCompleted,
    /// A source's state changed.
    SourceState,
    /// A page came on show.
    PageShown,
    /// State of an earlier run was restored.
    StateRestored,
    /// The clock was set anew after it had fallen far behind.
    ClockRebased,
    /// A signal came from outside.
    SignalReceived,
    /// An actor failed and was started anew.
    ActorRestarted,
}

impl EventKind {
    /// Every kind.
    pub const ALL: [EventKind; 11] = [
        EventKind::TriggerActivated,
        EventKind::TriggerDeactivated,
        EventKind::AnimationStarted,
        EventKind::AnimationStopped,
        EventKind::AnimationCompleted,
        EventKind::SourceState,
        EventKind::PageShown,
        EventKind::StateRestored,
        EventKind::ClockRebased,
        EventKind::SignalReceived,
        EventKind::ActorRestarted,
    ];

    /// The event's `type` in files, in the database and over HTTP.
    pub fn name(self) -> &'static str {
        match self {
            EventKind::TriggerActivated => "trigger_activated",
            EventKind::TriggerDeactivated => "trigger_deactivated",
            EventKind::AnimationStarted => "animation_started",
            EventKind::AnimationStopped => "animation_stopped",
            EventKind::AnimationCompleted => "animation_completed",
            EventKind::SourceState => "source_state",
            EventKind::PageShown => "page_shown",
            EventKind::StateRestored => "state_restored",
            EventKind::ClockRebased => "clock_rebased",
            EventKind::SignalReceived => "signal_received",
            EventKind::ActorRestarted => "actor_restarted",
        }
    }
}

/// One decision of the core.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// When it was decided.
    pub tick: Tick,
    /// What was decided.
    pub kind: EventKind,
    /// The trigger, animation, source, page, signal or actor that it is about.
    pub id: String,
    /// Further facts, in a fixed order.
    pub data: Vec<(String, Value)>,
}
