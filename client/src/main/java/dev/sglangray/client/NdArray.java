/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.client;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A NumPy array on its way to or from an embodied engine. Immutable. */
public final class NdArray {
    private final String dtype;
    private final List<Integer> shape;
    private final byte[] data;

    /**
     * Checks the values.
     *
     * @param dtype NumPy's name of the element type, for example {@code <f4}
     * @param shape the lengths of the dimensions
     * @param data the elements, row by row
     */
    public NdArray(String dtype, List<Integer> shape, byte[] data) {
        this.dtype = dtype;
        this.shape = List.copyOf(shape);
        this.data = data.clone();
    }

    /** An array of 32-bit floats. */
    public static NdArray of(float[] values, List<Integer> shape) {
        ByteBuffer bytes = ByteBuffer.allocate(values.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        bytes.asFloatBuffer().put(values);
        return new NdArray("<f4", shape, bytes.array());
    }

    /** NumPy's name of the element type. */
    public String dtype() {
        return dtype;
    }

    /** The lengths of the dimensions. */
    public List<Integer> shape() {
        return shape;
    }

    /** A copy of the elements' bytes, row by row. */
    public byte[] data() {
        return data.clone();
    }

    /**
     * The elements of an array of 32-bit floats.
     *
     * @throws IllegalStateException if it is of another type
     */
    public float[] floats() {
        if (!dtype.equals("<f4")) {
            throw new IllegalStateException("the array is of " + dtype + ", not <f4");
        }
        float[] values = new float[data.length / Float.BYTES];
        ByteBuffer.wrap(data).order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer().get(values);
        return values;
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof NdArray array
                && dtype.equals(array.dtype)
                && shape.equals(array.shape)
                && Arrays.equals(data, array.data);
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(data);
    }

    @Override
    public String toString() {
        return "NdArray[" + dtype + ", " + shape + "]";
    }
}
