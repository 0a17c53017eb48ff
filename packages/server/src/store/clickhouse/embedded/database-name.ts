/** The one database of a data folder. */
export const DATABASE = 'signalbox';
