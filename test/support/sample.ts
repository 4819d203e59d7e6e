/** True where a sample is asked for, as by `npm test`: some rows and programs stand for all. */
export const IS_SAMPLE = process.env.FOCAL_LOSS_SAMPLE !== undefined;
