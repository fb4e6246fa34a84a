//! Effects: functions of the tick that change how a widget looks.

pub mod easing;
