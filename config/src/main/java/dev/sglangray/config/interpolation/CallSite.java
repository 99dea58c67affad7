/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.config.interpolation;

import dev.sglangray.config.tree.Node;
import dev.sglangray.config.tree.ValueNode;

/**
 * Where a resolver is called.
 *
 * @param evaluation the evaluation under way, for resolvers that look at the tree
 * @param parent the container of the value that holds the call
 * @param node the value that holds the call
 */
record CallSite(Evaluation evaluation, Node parent, ValueNode node) {}
