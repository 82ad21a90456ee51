/* The same route for everybody. */
export const createGuards = () => [];
