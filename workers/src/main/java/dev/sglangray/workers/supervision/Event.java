/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers.supervision;

/**
 * One entry of a worker's log. Travels as JSON.
 *
 * @param number counts up from 0 in one life of the worker's process
 * @param time ISO 8601, UTC, with milliseconds
 * @param worker the actor's name
 * @param kind what happened
 * @param text in words
 */
public record Event(long number, String time, String worker, EventKind kind, String text) {}
