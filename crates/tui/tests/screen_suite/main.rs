//! The screen, tested without a terminal: messages go in, effects and a drawn screen come out.

#[cfg(test)]
mod amending;
#[cfg(test)]
mod folding;
#[cfg(test)]
mod gaps;
#[cfg(test)]
mod goto;
#[cfg(test)]
mod help;
#[cfg(test)]
mod history;
#[cfg(test)]
mod hostile;
#[cfg(test)]
mod inviting;
#[cfg(test)]
mod layers;
#[cfg(test)]
mod linking;
#[cfg(test)]
mod looks;
#[cfg(test)]
mod memory;
#[cfg(test)]
mod moderating;
#[cfg(test)]
mod notices;
#[cfg(test)]
mod outage;
#[cfg(test)]
mod pasting;
#[cfg(test)]
mod renames;
#[cfg(test)]
mod rooms;
#[cfg(test)]
mod servers;
#[cfg(test)]
mod stage;
#[cfg(test)]
mod typed;
#[cfg(test)]
mod update;
#[cfg(test)]
mod view;
#[cfg(test)]
mod waiting;
#[cfg(test)]
mod walls;
