//! Signals of the operating system as orders.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc::Sender;

use super::Order;

/// The signals that the process listens to.
#[derive(Debug)]
pub struct Signals {
    reload: Signal,
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    /// From now on SIGHUP reloads, SIGTERM and SIGINT stop.
    pub fn new() -> io::Result<Self> {
        Ok(Self {
            reload: signal(SignalKind::hangup())?,
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    /// Passes signals on until nobody takes them.
    pub async fn pass_on(mut self, orders: Sender<Order>) {
        loop {
            let order = tokio::select! {
                Some(()) = self.reload.recv() => Order::Reload,
                Some(()) = self.terminate.recv() => Order::Stop,
                Some(()) = self.interrupt.recv() => Order::Stop,
                else => return,
            };
            if orders.send(order).await.is_err() {
                return;
            }
        }
    }
}
